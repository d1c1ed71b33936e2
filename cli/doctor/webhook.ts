/** The webhook: there, published, pointing here, with the right triggers, and let in. */
import { createHmac } from "node:crypto";
import type { WebhookSettings } from "shared/settings/webhook.ts";
import type { MauticHook } from "../setup/mautic_admin.ts";
import { addressOf, deadTrigger, findHook, wantedTrigger } from "../setup/wanted_hook.ts";
import { fail, type Finding, notChecked, pass, warn } from "./finding.ts";
import { judgeAddress } from "./functions.ts";
import { functionAnswerOf, probe, type Reached } from "./probe.ts";

const setUp = "deno task setup (it makes the webhook, or says what to enter)";

/** What Mautic holds, against the address and secrets that are ours. */
export function judgeHooks(hooks: MauticHook[], url: string, settings: WebhookSettings): Finding[] {
  const hook = findHook(hooks, url);
  if (!hook) return [judgeMissing(hooks, url)];
  return [
    hook.webhookUrl.replace(/[?#].*$/, "").endsWith("/")
      ? fail(
        "webhook.exists",
        "its address ends in a slash",
        `Correct it to ${addressOf(url)}?secret=…`,
      )
      : pass("webhook.exists", `webhook ${hook.id} points at ${addressOf(url)}`),
    hook.isPublished ? pass("webhook.published", "is published") : fail(
      "webhook.published",
      `webhook ${hook.id} is not published: opt-outs come by the poll every 15 minutes only`,
      "Mautic switches it off when deliveries fail. See webhook.accepts_delivery, then publish it.",
    ),
    judgeTriggers(hook),
    hook.createdBy ? pass("webhook.owner", "belongs to a person") : warn(
      "webhook.owner",
      `webhook ${hook.id} was made with an API client and belongs to nobody: when a delivery fails, Mautic answers 500 to our own calls`,
      "Delete it and make it as a person (in the interface, or deno task setup with MAUTIC_ADMIN_USER).",
    ),
    judgeSecret(hook, settings),
  ];
}

function judgeMissing(hooks: MauticHook[], url: string): Finding {
  const elsewhere = hooks.find((hook) => addressOf(hook.webhookUrl).endsWith("/mautic-webhook"));
  return elsewhere
    ? fail(
      "webhook.exists",
      `webhook ${elsewhere.id} points at ${addressOf(elsewhere.webhookUrl)}, not at ${url}`,
      "Correct its address in Mautic (the final one, https, without a slash at the end).",
    )
    : fail("webhook.exists", `no webhook in Mautic points at ${url}`, setUp);
}

function judgeTriggers(hook: MauticHook): Finding {
  const check = "webhook.triggers";
  const hasDead = hook.triggers.includes(deadTrigger);
  if (!hook.triggers.includes(wantedTrigger)) {
    return fail(
      check,
      `it is not called for ${wantedTrigger}` +
        (hasDead ? `; ${deadTrigger}, which it has, never fires` : ""),
      "Tick Contact Channel Subscription Change in Mautic.",
    );
  }
  return hasDead
    ? warn(check, `${deadTrigger} never fires`, `Harmless: ${wantedTrigger} brings the bounces.`)
    : pass(check, `is called for ${wantedTrigger}`);
}

/** Will the function let in what this hook sends, by our settings? */
function judgeSecret(hook: MauticHook, { secret, signingKey }: WebhookSettings): Finding {
  const check = "webhook.secret";
  const inUrl = URL.canParse(hook.webhookUrl)
    ? new URL(hook.webhookUrl).searchParams.get("secret")
    : null;
  // deno-lint-ignore lead-sync/secret-comparison -- both are the operator's own, on his machine
  if (signingKey !== null && hook.secret !== signingKey) {
    return fail(
      check,
      "the webhook's secret in Mautic is not MAUTIC_WEBHOOK_SIGNING_KEY: its signatures are refused",
      "Enter the same text in both.",
    );
  }
  if (signingKey !== null) {
    return pass(check, "deliveries are signed with MAUTIC_WEBHOOK_SIGNING_KEY");
  }
  // deno-lint-ignore lead-sync/secret-comparison -- both are the operator's own, on his machine
  if (secret !== null && (inUrl === secret || hook.secret === secret)) {
    return pass(check, "the webhook carries MAUTIC_WEBHOOK_SECRET");
  }
  return fail(
    check,
    inUrl === null
      ? "the webhook's address has no ?secret=: its deliveries are refused"
      : "the ?secret= in the webhook's address is not MAUTIC_WEBHOOK_SECRET: its deliveries are refused",
    "Correct the address in Mautic: …/mautic-webhook?secret=<MAUTIC_WEBHOOK_SECRET>",
  );
}

/** As Mautic's test button: a top-level timestamp, and nothing that would be applied. */
const testBody = JSON.stringify({ timestamp: "2017-01-01T00:00:00+00:00" });

/** A signed empty delivery, as the hook would make it, and one that nobody should accept. */
export async function checkDelivery(
  fetch: typeof globalThis.fetch,
  url: string,
  { hook, settings }: { hook: MauticHook | undefined; settings: WebhookSettings },
): Promise<Finding[]> {
  // What the hook has, not what it should have: that is webhook.secret's to say.
  const secret = hook ? new URL(hook.webhookUrl).searchParams.get("secret") : settings.secret;
  const key = hook?.secret ?? settings.signingKey ?? settings.secret ?? "";
  const deliver = (query: string, signingKey: string) =>
    probe(fetch, {
      method: "POST",
      url: url + query,
      headers: {
        "Content-Type": "application/json",
        "Webhook-Signature": createHmac("sha256", signingKey).update(testBody).digest("base64"),
      },
      body: testBody,
    });
  const wrong = await deliver(`?secret=wrong-${crypto.randomUUID()}`, crypto.randomUUID());
  const address = judgeAddress("webhook.function", url, wrong, "mautic-webhook", "SUPABASE_URL");
  if (address.verdict === "fail") {
    return [address, notChecked("webhook.accepts_delivery", "mautic-webhook was not reached")];
  }
  const right = await deliver(secret ? `?secret=${encodeURIComponent(secret)}` : "", key);
  return [address, judgeAccepted(right), judgeRefused(wrong)];
}

/** The answer to the right delivery. */
export function judgeAccepted(reached: Reached): Finding {
  const check = "webhook.accepts_delivery";
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  if (reached.status >= 200 && reached.status < 300) {
    return pass(check, "a signed test delivery is accepted");
  }
  if (reached.status === 401) {
    return functionAnswerOf(reached.json)
      ? fail(
        check,
        "mautic-webhook refuses what the webhook would send (401): the secrets differ",
        "Set the function's MAUTIC_WEBHOOK_SECRET (and MAUTIC_WEBHOOK_SIGNING_KEY) to what the webhook has.",
      )
      : fail(
        check,
        "the platform turns deliveries away before the function sees them",
        "Deploy with the config.toml of this repository (verify_jwt = false), or with --no-verify-jwt.",
      );
  }
  const answer = functionAnswerOf(reached.json);
  const why = answer && !answer.ok ? ` (${answer.error.code}: ${answer.error.message})` : "";
  return fail(
    check,
    `mautic-webhook answers ${reached.status}${why}`,
    "Look into the function's log.",
  );
}

/** The answer to a delivery with a wrong secret and a wrong signature. */
export function judgeRefused(reached: Reached): Finding {
  const check = "webhook.refuses_wrong_secret";
  if (reached.kind === "unreachable") {
    return warn(check, `no answer: ${reached.reason}`, "Ask again.");
  }
  return reached.status === 401 ? pass(check, "a wrong secret is turned away") : fail(
    check,
    `a wrong secret is answered ${reached.status}, not 401`,
    "Set MAUTIC_WEBHOOK_SECRET in the function's secrets and deploy the function of this repository.",
  );
}
