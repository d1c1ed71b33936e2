/** What a check says: one line of the doctor's report. */
export type Verdict = "pass" | "warn" | "fail";

export interface Finding {
  /** Stable, e.g. `vault.url`: people and programs match on it. */
  check: string;
  verdict: Verdict;
  message: string;
  /** What to do about it; null where all is well. */
  remedy: string | null;
}

/** All is well. */
export function pass(check: string, message: string): Finding {
  return { check, verdict: "pass", message, remedy: null };
}

/** Works, but may not for long, or could not be looked at. */
export function warn(check: string, message: string, remedy: string): Finding {
  return { check, verdict: "warn", message, remedy };
}

/** Does not work until somebody does what `remedy` says. */
export function fail(check: string, message: string, remedy: string): Finding {
  return { check, verdict: "fail", message, remedy };
}

/** For a check whose ground is missing; what is missing has a finding of its own. */
export function notChecked(check: string, because: string): Finding {
  return warn(check, `not checked: ${because}`, "See to that first, then ask the doctor again.");
}
