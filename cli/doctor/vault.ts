/** The bell's address and key in Vault. */
import type { Sql } from "postgres";
import { z } from "zod";
import { fail, type Finding, pass, warn } from "./finding.ts";
import { functionAnswerOf, probe, type Reached } from "./probe.ts";

export interface Bell {
  url: string | null;
  key: string | null;
}

const secrets = z.array(z.object({ name: z.string(), secret: z.string().nullable() }));

/** Reads the two secrets. Errors: what postgres.js raises, e.g. without Vault. */
export async function readBell(sql: Sql): Promise<Bell> {
  const rows = secrets.parse(
    await sql`
      select name, decrypted_secret as secret from vault.decrypted_secrets
      where name in ('mautic_sync_url', 'mautic_sync_key')`,
  );
  const of = (name: string) => rows.find((row) => row.name === name)?.secret?.trim() || null;
  return { url: of("mautic_sync_url"), key: of("mautic_sync_key") };
}

const setUp = "deno task setup";

/** Is the address there, and does it name the function? `expected`: as seen from here. */
export function judgeBellUrl({ url }: Bell, expected: string | null): Finding {
  const check = "vault.url";
  if (url === null) {
    return fail(check, "the Vault secret mautic_sync_url is missing: no change rings", setUp);
  }
  if (!/^https?:\/\/[^\s/]+/i.test(url) || !URL.canParse(url)) {
    return fail(
      check,
      "the Vault secret mautic_sync_url is no http(s) address",
      `${setUp} --replace`,
    );
  }
  const { pathname, host, protocol } = new URL(url);
  if (!pathname.endsWith("/mautic-sync")) {
    return fail(
      check,
      `mautic_sync_url ends in ${pathname}, not in /mautic-sync`,
      `${setUp} --replace`,
    );
  }
  if (expected === null || !URL.canParse(expected)) return pass(check, `rings at ${host}`);
  const ours = new URL(expected);
  if (ours.host !== host || ours.protocol !== protocol) {
    return warn(
      check,
      `mautic_sync_url names ${protocol}//${host}, SUPABASE_URL ${ours.protocol}//${ours.host}`,
      `Right where the database reaches the gateway by another name (Docker). Else: ${setUp} --replace`,
    );
  }
  return pass(check, `rings at ${host}`);
}

/** Does the function accept the key? `reached`: a ping with it; null: nobody could be asked. */
export function judgeBellKey({ key }: Bell, reached: Reached | null): Finding {
  const check = "vault.key";
  if (key === null) {
    return fail(check, "the Vault secret mautic_sync_key is missing: no change rings", setUp);
  }
  if (/^sb_publishable_/.test(key)) {
    return fail(
      check,
      "mautic_sync_key is a publishable key, which mautic-sync refuses",
      `Put a secret key there: ${setUp} --replace`,
    );
  }
  if (reached?.kind !== "answered") {
    return warn(check, "there; not tried: mautic-sync was not reached", "See to that first.");
  }
  if (reached.status === 401) {
    return fail(
      check,
      "mautic-sync refuses the key in Vault: every ring is lost",
      `Put a secret key of this project there: ${setUp} --replace`,
    );
  }
  return functionAnswerOf(reached.json) ? pass(check, "mautic-sync accepts the key") : warn(
    check,
    `there; mautic-sync answered ${reached.status}`,
    "See what is said of function.*.",
  );
}

/** Both findings. */
export async function checkBell(
  bell: Bell,
  { fetch, expected, syncUrl }: {
    fetch: typeof globalThis.fetch;
    expected: string | null;
    /** Of the function as seen from here. */
    syncUrl: string | null;
  },
): Promise<Finding[]> {
  const reached = bell.key === null || syncUrl === null ? null : await probe(fetch, {
    method: "POST",
    url: syncUrl,
    headers: {
      "Content-Type": "application/json",
      apikey: bell.key,
      ...(/^ey/.test(bell.key) ? { Authorization: `Bearer ${bell.key}` } : {}),
    },
    body: JSON.stringify({ action: "ping" }),
  });
  return [judgeBellUrl(bell, expected), judgeBellKey(bell, reached)];
}
