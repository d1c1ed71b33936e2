/** Mautic: reachable, API, credentials, fields, campaign. */
import { messageOf } from "shared/errors/message.ts";
import { describeError } from "shared/errors/codes.ts";
import { answerCode, MauticError } from "shared/mautic/transport/errors.ts";
import type { ContactField } from "shared/mautic/fields.ts";
import { wireErrors } from "shared/mautic/transport/error_shapes.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import type { MauticAdmin, MauticCampaign } from "../setup/mautic_admin.ts";
import { unmapStatement } from "shared/lead/standard_fields.ts";
import {
  type MappedField,
  remapOf,
  type WantedField,
  wantedFields,
} from "../setup/wanted_fields.ts";
import { fail, type Finding, notChecked, pass, warn } from "./finding.ts";
import { isAtLeast } from "./database.ts";
import { type Reached, redirectTarget } from "./probe.ts";

/** The address, and whether the API is switched on. `reached`: the API asked without a token. */
export function judgeMauticAddress(baseUrl: string, reached: Reached): Finding[] {
  const check = "mautic.address";
  if (reached.kind === "unreachable") {
    return [
      fail(
        check,
        `${baseUrl} cannot be reached: ${reached.reason}`,
        "See that Mautic is up and MAUTIC_BASE_URL is right.",
      ),
    ];
  }
  const target = redirectTarget(`${baseUrl}/api/contacts`, reached);
  if (target !== undefined) {
    const base = target.replace(/\/api\/contacts\/?$/, "");
    return [
      fail(
        check,
        `${baseUrl} redirects to ${target}`,
        `Set MAUTIC_BASE_URL to the final address, probably ${base}.`,
      ),
    ];
  }
  const [first] = wireErrors(reached.json);
  if (reached.status >= 500) {
    return [fail(check, `Mautic answers ${reached.status}`, "Look into Mautic's log (var/logs).")];
  }
  if (!first) {
    return [
      fail(
        check,
        `what answers at ${baseUrl} (${reached.status}) is no Mautic API`,
        "Set MAUTIC_BASE_URL to the address of Mautic itself, without /api or /s.",
      ),
    ];
  }
  const { protocol, hostname } = new URL(baseUrl);
  const isOpen = protocol === "http:" && !/^(localhost|127\.|\[::1\])/.test(hostname);
  const address = isOpen
    ? warn(
      check,
      "is reached over http: the credentials travel readable",
      "Give Mautic a certificate and use https.",
    )
    : pass(check, `${baseUrl} answers`);
  return [
    address,
    first.type === "api_disabled"
      ? fail("mautic.api", "the API is switched off", describeError("api_disabled").remedy)
      : pass("mautic.api", "the API is switched on"),
  ];
}

/** 5 is what the recordings were made with; 4 has no rule against duplicate contacts. */
export function judgeVersion(version: string | null): Finding {
  const check = "mautic.version";
  if (version === null) {
    return warn(
      check,
      "Mautic does not say its version",
      "See that a proxy passes the header Mautic-Version on.",
    );
  }
  return isAtLeast(version, "5") ? pass(check, `Mautic ${version}`) : warn(
    check,
    `Mautic ${version} is older than what this was tried with (5.1)`,
    "Upgrade Mautic.",
  );
}

const textTypes = ["text", "textarea", "lookup"];

/** What the checks of Mautic hold it against. */
export interface Expectations {
  /** The fields that are mapped, or why nobody knows. */
  mapping: { mapped: MappedField[] } | { unknown: string };
  /** Those of the function that is deployed where it told them, else of this environment. */
  settings: Pick<SyncSettings, "enrollment" | "fieldMaxLength">;
}

/** One finding for each mapped field, `mautic.field.<alias>`. */
export function judgeFields(
  wanted: WantedField[],
  fields: ContactField[],
  fieldMaxLength: number,
): Finding[] {
  return wanted.map((each) =>
    judgeField(each, fields.find(({ alias }) => alias === each.alias), fieldMaxLength)
  );
}

function judgeField(
  { alias, type }: WantedField,
  field: ContactField | undefined,
  fieldMaxLength: number,
): Finding {
  const check = `mautic.field.${alias}`;
  if (!field) {
    return fail(
      check,
      `there is no contact field "${alias}": Mautic drops the value silently`,
      `deno task setup; or to do without: ${unmapStatement(alias)}`,
    );
  }
  if (!field.isPublished) {
    return fail(
      check,
      `"${alias}" is not published: Mautic drops the value silently`,
      "Publish it: Settings > Custom Fields.",
    );
  }
  const fits = type === "number" ? field.type === "number" : textTypes.includes(field.type);
  if (!fits) {
    return fail(
      check,
      `"${alias}" is of type ${field.type}, and ${type} is needed`,
      `Mautic cannot change a type: make another field and map to it: ${remapOf(alias)}`,
    );
  }
  const limit = field.charLengthLimit;
  if (type === "text" && typeof limit === "number" && limit < fieldMaxLength) {
    return fail(
      check,
      `"${alias}" takes ${limit} characters, and MAUTIC_FIELD_MAX_LENGTH says ${fieldMaxLength}`,
      `Raise the limit of the field, or set MAUTIC_FIELD_MAX_LENGTH=${limit}.`,
    );
  }
  return pass(check, `"${alias}" is there (${field.type})`);
}

/** Does Mautic require a field of a new contact that no lead fills? `email` every lead has. */
export function judgeRequired(mapped: MappedField[], fields: ContactField[]): Finding {
  const check = "mautic.required_fields";
  const filled = new Set(["email", ...mapped.map(({ alias }) => alias)]);
  const open = fields
    .filter(({ isPublished, isRequired, defaultValue }) =>
      isPublished && isRequired && (defaultValue ?? "") === ""
    )
    .filter(({ alias }) => !filled.has(alias))
    .map(({ alias }) => alias);
  if (open.length === 0) return pass(check, "Mautic requires no field that leads do not fill");
  return fail(
    check,
    `Mautic requires ${open.join(", ")}, which no lead fills: it takes no new contact`,
    describeError("required_field").remedy,
  );
}

/** The campaign of high-value leads; `campaign` null: there is none of this id. */
export function judgeCampaign(
  id: number | null,
  campaign: MauticCampaign | null,
  now: number,
): Finding {
  const check = "mautic.campaign";
  const variable = "MAUTIC_CAMPAIGN_HIGH_VALUE";
  if (id === null) return pass(check, "enrolment is off");
  if (campaign === null) {
    return fail(
      check,
      `there is no campaign ${id}`,
      `Set ${variable} to the number in the address of the campaign's page.`,
    );
  }
  const title = `campaign ${id} (${campaign.name ?? "no name"})`;
  if (!campaign.isPublished) {
    return fail(
      check,
      `${title} is not published: who joins gets nothing`,
      "Publish it in Mautic.",
    );
  }
  if (campaign.publishDown && Date.parse(campaign.publishDown) <= now) {
    return fail(
      check,
      `${title} ended ${campaign.publishDown}`,
      `Extend it in Mautic, or name another in ${variable}.`,
    );
  }
  if (campaign.publishUp && Date.parse(campaign.publishUp) > now) {
    return warn(check, `${title} begins ${campaign.publishUp}`, "Right, if that is meant.");
  }
  return pass(check, `${title} is published`);
}

/** What a call to Mautic that failed means for a check. */
export function judgeMauticError(check: string, error: unknown): Finding {
  if (!(error instanceof MauticError)) throw error;
  return fail(check, messageOf(error), describeError(answerCode(error)).remedy);
}

/** Credentials, version, fields and campaign, in this order; without a token only the first. */
export async function checkMautic(
  admin: MauticAdmin,
  { mapping, settings }: Expectations,
  now: number,
): Promise<Finding[]> {
  try {
    await admin.logIn();
  } catch (error) {
    return [judgeMauticError("mautic.credentials", error)];
  }
  const findings = [pass("mautic.credentials", "client id and secret are accepted")];
  const attempt = async (check: string, ask: () => Promise<Finding[]>) => {
    findings.push(...await ask().catch((error) => [judgeMauticError(check, error)]));
  };
  await attempt("mautic.version", async () => [judgeVersion(await admin.version())]);
  await attempt("mautic.fields", async () => {
    if ("unknown" in mapping) return [notChecked("mautic.fields", mapping.unknown)];
    const fields = await admin.fields();
    return [
      ...judgeFields(wantedFields(mapping.mapped), fields, settings.fieldMaxLength),
      judgeRequired(mapping.mapped, fields),
    ];
  });
  const { enabled, campaignId } = settings.enrollment;
  const wantedCampaign = enabled ? campaignId : null;
  await attempt("mautic.campaign", async () => {
    const campaign = wantedCampaign === null
      ? null
      : await admin.campaign(wantedCampaign).catch((error) => {
        if (error instanceof MauticError && error.code === "not_found") return null;
        throw error;
      });
    return [judgeCampaign(wantedCampaign, campaign, now)];
  });
  return findings;
}
