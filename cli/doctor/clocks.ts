/** Do database, this machine and Mautic agree on the time? */
import type { Sql } from "postgres";
import { z } from "zod";
import type { Clock } from "shared/runtime/clock.ts";
import { fail, type Finding, pass, warn } from "./finding.ts";
import type { Reached } from "./probe.ts";

const reading = z.array(z.object({ ms: z.coerce.number() })).length(1);

/** Database minus this machine, in milliseconds. Errors: what postgres.js raises. */
export async function databaseSkew(sql: Sql, clock: Clock): Promise<number> {
  const before = clock.now();
  const [row] = reading.parse(
    await sql`select extract(epoch from clock_timestamp()) * 1000 as ms`,
  );
  return (row?.ms ?? 0) - (before + clock.now()) / 2;
}

/** Mautic minus this machine, by the Date of an answer (to the second); null: it has none. */
export function mauticSkew(reached: Reached, now: number): number | null {
  const date = reached.kind === "answered" ? Date.parse(reached.headers.get("Date") ?? "") : NaN;
  return Number.isNaN(date) ? null : date + 500 - now;
}

const tolerableMs = 5_000;
const limitMs = 30_000;

/** `who` is the other clock, `why` what a difference does. */
export function judgeSkew(check: string, who: string, skewMs: number | null, why: string): Finding {
  if (skewMs === null) {
    return warn(check, `${who} does not say the time`, "Compare the clocks by hand.");
  }
  const seconds = Math.abs(skewMs) / 1_000;
  const message = `${who} is ${seconds.toFixed(0)} s ${skewMs > 0 ? "ahead" : "behind"}: ${why}`;
  const remedy = "Let all machines take their time from NTP (timedatectl, chronyc tracking).";
  if (Math.abs(skewMs) > limitMs) return fail(check, message, remedy);
  if (Math.abs(skewMs) > tolerableMs) return warn(check, message, remedy);
  return pass(check, `${who} agrees with this machine`);
}
