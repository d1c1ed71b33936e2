/** Settings of an earlier version that are still set. */
import type { SupersededSetting } from "shared/settings/superseded.ts";
import { type Finding, warn } from "./finding.ts";

/** Variables that are set and not heeded: what they say is in the database now, or has to get there. */
export function judgeSuperseded(check: string, settings: SupersededSetting[]): Finding[] {
  if (settings.length === 0) return [];
  const names = settings.map(({ variable }) => variable);
  const statements = settings.flatMap(({ statement }) => statement ?? []);
  const removal = `Remove ${names.length === 1 ? "the variable" : "the variables"}.`;
  return [
    warn(
      check,
      `${names.join(", ")}: set, but no longer heeded; the mapping of fields is in the database`,
      statements.length === 0 ? removal : `${statements.join(" ")} ${removal}`,
    ),
  ];
}
