import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { Deeds } from "./history.ts";
import type { FunctionProcess } from "./function_process.ts";

/** A fault may keep its effects for as long as a lease lasts. */
const aftermathMs = 150_000;
/** One at a time, by its lease. */
const reconciliations = 1;
const trouble = /killed|frozen|database (refused|lost|hung)|mautic (hang|slow)/;
const tokenTrouble =
  /killed|frozen|database (refused|lost|hung)|tokens revoked|mautic_token_retry|mautic \w+( \d+ ms)?: POST \/oauth/;

/** Watches how many requests are open at once, and how many tokens are asked for. */
export interface Limits {
  /** Before Mautic begins with a request of `process`. */
  onArrival(request: { process: string; path: string }): void;
  /** A line of the history. */
  onNote(line: string): void;
  violations: string[];
}

/**
 * Invariants 5 and 6. Requests in flight: one a worker, one a call of somebody's own and one of the reconciliation, unless a fault left
 * some behind. Tokens: a new one only after the last was revoked, or used up, or got lost.
 */
export function createLimits(
  { mautic, now, maxWorkers, skewMs, processes, deeds }: {
    mautic: MauticServer;
    now(): number;
    maxWorkers: number;
    /** How far two clocks may be apart. */
    skewMs: number;
    processes(): readonly FunctionProcess[];
    deeds(): Deeds;
  },
): Limits {
  const violations: string[] = [];
  let troubleAt = -Infinity;
  let tokenTroubleAt = -Infinity;
  let lastToken: { at: number; usableUntil: number } | undefined;

  function watchToken(asker: string): void {
    const lifeMs = mautic.settings.tokenLifetimeSeconds * 1_000;
    if (lastToken && now() < lastToken.usableUntil && tokenTroubleAt < lastToken.at) {
      violations.push(
        `a token was asked for at ${now()}, the last was good until ${lastToken.usableUntil}`,
      );
    }
    lastToken = {
      at: now(),
      usableUntil: now() + lifeMs - Math.min(60_000, lifeMs / 2) - 1_000 - skewMs,
    };
    // It died with its request under way: nobody will have that token.
    const isLost = !processes().some(({ name, isAlive }) => name === asker && isAlive);
    if (isLost) tokenTroubleAt = now();
  }

  return {
    violations,
    onNote(line) {
      if (trouble.test(line)) troubleAt = now();
      // Who is frozen hears of its token late, and maybe too late, until it thaws.
      const frozenMs = Number(/frozen for (\d+) ms/.exec(line)?.[1] ?? 0);
      if (tokenTrouble.test(line)) tokenTroubleAt = Math.max(tokenTroubleAt, now() + frozenMs);
    },
    onArrival({ process: asker, path }) {
      if (path === "/oauth/v2/token") return watchToken(asker);
      const open = processes().filter((process) => process.isAlive)
        .reduce((sum, process) => sum + process.openCalls, 1);
      const { direct, campaignCalls } = deeds();
      const calls = [
        ...direct,
        ...campaignCalls.map(({ at, endedAt }) => ({ startedAt: at, endedAt })),
      ].filter((call) => call.startedAt > now() - aftermathMs && call.endedAt >= now()).length;
      const allowed = maxWorkers + reconciliations + calls;
      if (open > allowed && now() > troubleAt + aftermathMs) {
        violations.push(
          `${open} requests were open at ${now()}: ${maxWorkers} workers, ${calls} calls`,
        );
      }
    },
  };
}
