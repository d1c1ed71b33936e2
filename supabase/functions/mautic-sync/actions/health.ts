import type { Database } from "shared/database/database.ts";
import type { Status } from "shared/database/status.ts";
import { type Answers, notConfigured } from "shared/http/answer.ts";
import { readHealthSettings } from "shared/settings/health.ts";
import type { Env } from "shared/settings/reader.ts";

/**
 * The answer to a GET, for monitors: 200 with `mautic.status`, or 503 with the same in
 * `error.details` when a live change is late.
 *
 * @throws {DatabaseError} where the database fails
 */
export async function health(
  { database, env, answers }: { database: Database; env: Env; answers: Answers },
): Promise<Response> {
  const settings = readHealthSettings(env);
  if (!settings.ok) return answers.fail(...notConfigured(settings.problems));
  const status = await database.readStatus();
  const late = lateness(status, settings.maxAgeMs);
  return late === undefined
    ? answers.ok(status)
    : answers.fail("sync_late", late, { details: status });
}

/**
 * What is late, in words; undefined when nothing is. Backfills are not: they take their time. A
 * circuit that stays open is, even when everything queued waits for its next attempt.
 */
export function lateness(status: Status, maxAgeMs: number): string | undefined {
  const dueMs = status.oldest_due_age_ms ?? 0;
  if (dueMs > maxAgeMs) {
    const why = status.paused
      ? " Sending is paused."
      : status.circuit === "open"
      ? ` The circuit is open (${status.circuit_reason}).`
      : "";
    return `The oldest change that is due was made ${Math.round(dueMs / 1000)} s ago.${why}`;
  }
  const openMs = status.circuit_open_ms ?? 0;
  if (openMs > maxAgeMs) {
    return `Mautic has been in trouble (${status.circuit_reason}) for ${
      Math.round(openMs / 1000)
    } s.`;
  }
  return undefined;
}
