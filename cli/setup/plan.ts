/** What set-up has to do, decided from what is there. */
import type { Bell } from "../doctor/vault.ts";
import {
  type Deployment,
  goLiveStatement,
  isSamePair,
  originalsOf,
  type Pair,
  type Waiting,
  waitingLine,
} from "../live.ts";
import type { ContactField } from "shared/mautic/fields.ts";
import type { SyncSettings } from "shared/settings/sync.ts";
import type { WebhookSettings } from "shared/settings/webhook.ts";
import type { MauticHook, NewField, NewHook } from "./mautic_admin.ts";
import { remapOf, type WantedField } from "./wanted_fields.ts";
import { addressOf, findHook, wantedTrigger } from "./wanted_hook.ts";

export type Step =
  | { kind: "create_field"; field: NewField }
  | { kind: "write_secret"; name: "mautic_sync_url" | "mautic_sync_key"; value: string }
  | { kind: "create_hook"; hook: NewHook }
  | { kind: "edit_hook"; id: number; changes: Record<string, unknown> }
  /** `asks`: nobody has agreed yet. `lines`: what he has to know. */
  | { kind: "go_live"; pair: Pair; asks: boolean; lines: string[] }
  /** Nothing a program may do: a person has to. */
  | { kind: "by_hand"; title: string; lines: string[] };

/** Who says that the project may send: the caller has, he can be asked, or he cannot. */
export type GoLive = "said" | "ask" | "leave";

/** Nothing leaves before somebody says so, once for each project and Mautic, by these numbers. */
export function planGoLive(
  pair: Pair,
  known: Deployment[],
  waiting: Waiting,
  goLive: GoLive,
): Step[] {
  if (known.some((each) => each.live && isSamePair(each, pair))) return [];
  const originals = originalsOf(pair, known);
  const lines = [
    waitingLine(waiting),
    ...(originals.length > 0
      ? [`This database was copied from project ${originals.join(", ")}, which sends, too.`]
      : []),
  ];
  return [
    goLive === "leave"
      ? leftToSay({ pair, lines })
      : { kind: "go_live", pair, asks: goLive === "ask", lines },
  ];
}

/** The same for a person to do: nobody agreed. */
export function leftToSay({ pair, lines }: { pair: Pair; lines: string[] }): Step {
  return {
    kind: "by_hand",
    title: `Let project ${pair.project} send to ${pair.origin}: nothing leaves before`,
    lines: [...lines, `deno task setup --go-live, or: ${goLiveStatement(pair)}`],
  };
}

/** Mapped fields that are not there, and those of a type that cannot serve. */
export function planFields(
  wanted: WantedField[],
  fields: ContactField[],
  { fieldMaxLength: maxLength }: Pick<SyncSettings, "fieldMaxLength">,
): Step[] {
  return wanted.flatMap(({ alias, label, type }): Step[] => {
    const field = fields.find((each) => each.alias === alias);
    if (!field) {
      return [{ kind: "create_field", field: { alias, label, type, maxLength } }];
    }
    const fits = type === "number"
      ? field.type === "number"
      : ["text", "textarea", "lookup"].includes(field.type);
    if (fits) return [];
    return [{
      kind: "by_hand",
      title: `Field "${alias}" is of type ${field.type}, and ${type} is needed`,
      lines: ["Mautic cannot change a type. Make another field and map to it:", remapOf(alias)],
    }];
  });
}

/**
 * Vault's two secrets. What is there stays, unless it cannot be right or `replace` asks for it:
 * the database may know the gateway by another name than we do.
 */
export function planBell(found: Bell, wanted: Bell, replace: boolean): Step[] {
  const steps: Step[] = [];
  const urlServes = found.url !== null && /^https?:\/\/[^\s/]+/i.test(found.url);
  if (wanted.url !== null && found.url !== wanted.url && (replace || !urlServes)) {
    steps.push({ kind: "write_secret", name: "mautic_sync_url", value: wanted.url });
  }
  // deno-lint-ignore lead-sync/secret-comparison -- both are the operator's own, on his machine
  if (wanted.key !== null && found.key !== wanted.key && (replace || found.key === null)) {
    steps.push({ kind: "write_secret", name: "mautic_sync_key", value: wanted.key });
  }
  if (wanted.url === null && !urlServes) {
    steps.push(lacking("mautic_sync_url", "SUPABASE_URL (or MAUTIC_SYNC_URL, the whole address)"));
  }
  if (wanted.key === null && found.key === null) {
    steps.push(lacking("mautic_sync_key", "SUPABASE_SECRET_KEY (or MAUTIC_SYNC_KEY)"));
  }
  return steps;
}

/** A Vault secret that is not there, and that nothing says the value of. */
function lacking(name: string, variable: string): Step {
  return {
    kind: "by_hand",
    title: `Vault lacks ${name}: no change rings`,
    lines: [`Set ${variable}, then run set-up again.`],
  };
}

/** Without the functions' address nothing can be said of the webhook. */
export const unknownHook: Step = {
  kind: "by_hand",
  title: "The webhook is not looked at: nothing says where it has to lead",
  lines: ["Set SUPABASE_URL, then run set-up again."],
};

/**
 * The webhook. Made and mended only as a person (`asPerson`): one that an API client makes belongs
 * to nobody, and Mautic then answers 500 to our own calls once a delivery fails.
 */
export function planHook(
  hooks: MauticHook[],
  functionUrl: string,
  settings: WebhookSettings,
  asPerson: boolean,
): Step[] {
  if (settings.secret === null && settings.signingKey === null) {
    return [{
      kind: "by_hand",
      title: "The webhook needs a secret first",
      lines: ["Set MAUTIC_WEBHOOK_SECRET (openssl rand -hex 24), then run set-up again."],
    }];
  }
  const url = settings.secret === null
    ? functionUrl
    : `${functionUrl}?secret=${encodeURIComponent(settings.secret)}`;
  const hook = findHook(hooks, functionUrl);
  if (!hook) {
    const wanted = {
      name: "Supabase lead sync",
      url,
      secret: settings.signingKey,
      triggers: [wantedTrigger],
    };
    return [asPerson ? { kind: "create_hook", hook: wanted } : enterHook(functionUrl, settings)];
  }
  const changes = {
    ...(hook.isPublished ? {} : { isPublished: true }),
    ...(hook.triggers.includes(wantedTrigger) ? {} : { triggers: [wantedTrigger] }),
    ...(settings.secret !== null && !carries(hook, settings) ? { webhookUrl: url } : {}),
    // deno-lint-ignore lead-sync/secret-comparison -- both are the operator's own, on his machine
    ...(settings.signingKey !== null && hook.secret !== settings.signingKey
      ? { secret: settings.signingKey }
      : {}),
  };
  const wrong = Object.keys(changes);
  if (wrong.length === 0) return [];
  if (asPerson) return [{ kind: "edit_hook", id: hook.id, changes }];
  return [enterHook(functionUrl, settings, `Correct webhook ${hook.id} in Mautic`)];
}

function carries(hook: MauticHook, { secret }: WebhookSettings): boolean {
  if (!URL.canParse(hook.webhookUrl)) return false;
  const inUrl = new URL(hook.webhookUrl).searchParams.get("secret");
  // deno-lint-ignore lead-sync/secret-comparison -- both are the operator's own, on his machine
  return inUrl === secret || hook.secret === secret;
}

/** What a person has to enter; the secrets by the names of their variables. */
function enterHook(
  functionUrl: string,
  { secret, signingKey }: WebhookSettings,
  title = "Make the webhook in Mautic, as a person: Settings > Webhooks > New",
): Step {
  const query = secret === null ? "" : "?secret=<the value of MAUTIC_WEBHOOK_SECRET>";
  return {
    kind: "by_hand",
    title,
    lines: [
      "Name             Supabase lead sync",
      `Webhook POST Url ${addressOf(functionUrl)}${query}`,
      `Secret           ${
        signingKey === null ? "(leave it)" : "<the value of MAUTIC_WEBHOOK_SIGNING_KEY>"
      }`,
      "Webhook Events   Contact Channel Subscription Change Event, and no other",
      "Order            Chronological",
      "Save it, open it again and save it once more: Mautic switches off a webhook that was never",
      "edited on its first failed delivery. Or let set-up do it: switch on HTTP basic auth in the API",
      "settings of Mautic and give MAUTIC_ADMIN_USER and MAUTIC_ADMIN_PASSWORD.",
    ],
  };
}
