import { type Env, reader, type SettingProblem } from "./reader.ts";

export type HealthReading =
  | { ok: true; maxAgeMs: number }
  | { ok: false; problems: SettingProblem[] };

/** How late a live change may be before the health answer says so (5 minutes by default). Total. */
export function readHealthSettings(env: Env): HealthReading {
  const read = reader(env);
  const maxAgeMs = read.integer("MAUTIC_HEALTH_MAX_AGE_MS", 300_000, {
    min: 1_000,
    max: 7 * 24 * 3_600_000,
  });
  return read.problems.length > 0 ? { ok: false, problems: read.problems } : { ok: true, maxAgeMs };
}
