/** mautic-sync as its callers see it, and the Data API it stands on. */
import { z } from "zod";
import type { SupersededSetting } from "shared/settings/superseded.ts";
import { fail, type Finding, pass, warn } from "./finding.ts";
import { functionAnswerOf, probe, type Reached, redirectTarget } from "./probe.ts";
import { judgeSuperseded } from "./superseded.ts";

export interface FunctionKeys {
  secret: string;
  publishable: string | null;
}

const json = { "Content-Type": "application/json" };

const toldSettings = z.object({
  project: z.string(),
  baseUrl: z.string(),
  fieldMaxLength: z.number(),
  enrollment: z.object({
    enabled: z.boolean(),
    threshold: z.number(),
    campaignId: z.number().nullable(),
    stages: z.array(z.string()),
  }),
});
/** Settings that the deployed function tells of itself, as far as the doctor looks at them. */
export type ToldSettings = z.infer<typeof toldSettings>;

/** Refuses and accepts as it should, and says of itself that it is configured. */
export async function checkSync(
  fetch: typeof globalThis.fetch,
  url: string,
  keys: FunctionKeys,
): Promise<{ findings: Finding[]; told: ToldSettings | null }> {
  const ping = (headers: Record<string, string>) =>
    probe(fetch, {
      method: "POST",
      url,
      headers: { ...json, ...headers },
      body: JSON.stringify({ action: "ping" }),
    });
  const bare = await ping({});
  const address = judgeAddress("function.address", url, bare, "mautic-sync", "SUPABASE_URL");
  if (address.verdict === "fail") return { findings: [address], told: null };
  const refusals = [judgeRefusal("function.refuses_no_key", "a call without a key", bare)];
  if (keys.publishable !== null) {
    const answer = await ping({ apikey: keys.publishable });
    refusals.push(judgeRefusal("function.refuses_publishable_key", "the publishable key", answer));
  }
  const known = await ping({ apikey: keys.secret });
  return {
    findings: [
      address,
      ...refusals,
      judgeSecretKey(known),
      judgePing(known),
      ...judgeSuperseded("function.superseded_settings", supersededOf(known)),
    ],
    told: toldSettings.safeParse(dataOf(known)["settings"]).data ?? null,
  };
}

/** What the function answered; nothing where it did not, or refused. */
function dataOf(reached: Reached): Record<string, unknown> {
  const answer = reached.kind === "answered" ? functionAnswerOf(reached.json) : undefined;
  return answer?.ok ? answer.data : {};
}

const superseded = z.array(z.object({ variable: z.string(), statement: z.string().nullable() }));

function supersededOf(reached: Reached): SupersededSetting[] {
  return superseded.safeParse(dataOf(reached)["supersededSettings"]).data ?? [];
}

/** Is the function there, under its final address? */
export function judgeAddress(
  check: string,
  url: string,
  reached: Reached,
  name: string,
  variable: string,
): Finding {
  const { origin } = new URL(url);
  if (reached.kind === "unreachable") {
    return fail(
      check,
      `${origin} cannot be reached: ${reached.reason}`,
      `Correct ${variable}, or start what runs there.`,
    );
  }
  const target = redirectTarget(url, reached);
  if (target !== undefined) {
    return fail(
      check,
      `${origin} redirects to ${target}; redirects are followed by nobody here`,
      `Set ${variable} to the final address (https, no further slash).`,
    );
  }
  if (reached.status === 404 && functionAnswerOf(reached.json) === undefined) {
    return fail(
      check,
      `${name} is not deployed at ${origin}`,
      `npx supabase functions deploy ${name}`,
    );
  }
  if (reached.status === 503 && functionAnswerOf(reached.json) === undefined) {
    return fail(check, `${name} does not start`, "Look into the function's log in the dashboard.");
  }
  return pass(check, `${name} answers at ${origin}`);
}

/** A caller who must be turned away. */
export function judgeRefusal(check: string, who: string, reached: Reached): Finding {
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  if (reached.status === 401) return pass(check, `${who} is turned away`);
  return fail(
    check,
    `${who} is answered ${reached.status}, not 401`,
    reached.status === 503
      ? "The function lacks its settings; see what is said of function.configuration."
      : "Deploy the functions of this repository: anybody may be able to call this one.",
  );
}

/** The secret key must open; something in front of the function may still turn it away. */
export function judgeSecretKey(reached: Reached): Finding {
  const check = "function.accepts_secret_key";
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  if (reached.status !== 401) return pass(check, "the secret key is accepted");
  return functionAnswerOf(reached.json)
    ? fail(
      check,
      "mautic-sync does not know this secret key",
      "Use a secret key of the same project (dashboard > API Keys).",
    )
    : fail(
      check,
      "the platform turns the call away before the function sees it",
      "Deploy with the config.toml of this repository (verify_jwt = false), or with --no-verify-jwt.",
    );
}

/** What the function says of its own settings and of Mautic, as seen from there. */
export function judgePing(reached: Reached): Finding {
  const check = "function.configuration";
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  const answer = functionAnswerOf(reached.json);
  if (!answer) return warn(check, `no answer of ours (${reached.status})`, "See function.address.");
  if (answer.ok) {
    return answer.data["demo"] === true
      ? warn(
        check,
        "mautic-sync is in demo mode: it sends nothing, the queue waits",
        "npx supabase secrets set MAUTIC_BASE_URL=… MAUTIC_CLIENT_ID=… MAUTIC_CLIENT_SECRET=…",
      )
      : pass(check, "mautic-sync reaches Mautic");
  }
  const { code, message } = answer.error;
  if (code === "unauthorized") {
    return warn(check, "not checked: the key was refused", "See function.accepts_secret_key.");
  }
  return fail(
    check,
    `mautic-sync says ${code}: ${message}`,
    "Correct the function's secrets: npx supabase secrets set …",
  );
}

/** Schema `mautic` has to be on offer, to the secret key only. */
export async function checkDataApi(
  fetch: typeof globalThis.fetch,
  baseUrl: string,
  keys: FunctionKeys,
): Promise<Finding[]> {
  const ask = (key: string) =>
    probe(fetch, {
      method: "POST",
      url: `${baseUrl}/rest/v1/rpc/has_changes`,
      headers: {
        ...json,
        apikey: key,
        ...(/^ey/.test(key) ? { Authorization: `Bearer ${key}` } : {}),
        "Content-Profile": "mautic",
      },
      body: "{}",
    });
  const findings = [judgeExposed(await ask(keys.secret))];
  if (keys.publishable !== null) findings.push(judgePrivate(await ask(keys.publishable)));
  return findings;
}

/** The answer to a call in schema `mautic` with the secret key. */
export function judgeExposed(reached: Reached): Finding {
  const check = "data_api.schema";
  if (reached.kind === "unreachable") {
    return fail(
      check,
      `the Data API cannot be reached: ${reached.reason}`,
      "Correct SUPABASE_URL.",
    );
  }
  const { status } = reached;
  if (status === 200) return pass(check, "schema mautic is on offer");
  if (status === 406) {
    return fail(
      check,
      "schema mautic is not exposed: the functions can call nothing in it",
      "Project Settings > Data API > Exposed schemas: add mautic; or npx supabase config push.",
    );
  }
  if (status === 401) {
    return fail(check, "the Data API refuses the secret key", "Use a key of this project.");
  }
  if (status === 404) {
    return fail(
      check,
      "the Data API does not know mautic.has_changes()",
      "Apply the migrations; then: notify pgrst, 'reload schema';",
    );
  }
  return fail(
    check,
    `the Data API answers ${status}`,
    "Apply the migrations and look into the API's log.",
  );
}

/** The answer to the same call with the publishable key. */
export function judgePrivate(reached: Reached): Finding {
  const check = "data_api.private";
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  return reached.status >= 300
    ? pass(check, "the publishable key opens nothing in schema mautic")
    : fail(
      check,
      "the publishable key may call functions of schema mautic",
      "Apply the last migration (…_privileges.sql) again.",
    );
}
