import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { Deeds } from "./history.ts";
import type { FunctionProcess } from "./function_process.ts";

/** A fault may leave a request behind for as long as a lease lasts. */
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
  /** Before a process hears the answer. */
  onAnswer(request: { path: string }, status: number): void;
  /** A line of the history. */
  onNote(line: string): void;
  violations: string[];
}

/**
 * Invariants 5 and 6. Requests in flight: one a worker, one a call of somebody's own, one of the
 * reconciliation, and one that each fault may leave behind for a while. Tokens: a new one only after
 * the last was revoked, or used up, or got lost.
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
  const troubles: number[] = [];
  let tokenTroubleAt = -Infinity;
  /** Who is frozen hears of its token late, and maybe too late, until it thaws. */
  const frozen: { until: number; early: number }[] = [];
  /** Who froze when it had been told that it may ask: by the time it does, that may be another's turn. */
  const frozenAskers = new Set<string>();
  let lastToken: { at: number; usableUntil: number } | undefined;

  function watchToken(asker: string): void {
    const lifeMs = mautic.settings.tokenLifetimeSeconds * 1_000;
    if (
      lastToken && now() < lastToken.usableUntil && tokenTroubleAt < lastToken.at && !isOfFreeze()
    ) {
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
    // Nor will anybody have what is brought to the database too late.
    if (isLost || frozenAskers.delete(asker)) tokenTroubleAt = now();
  }

  /** One token while it is frozen, since it does not store its own, and one for what it stores at last. */
  function isOfFreeze(): boolean {
    const freeze = frozen.find(({ until, early }) => now() <= until && early > 0);
    if (freeze) freeze.early--;
    return freeze !== undefined;
  }

  return {
    violations,
    onNote(line) {
      if (trouble.test(line)) troubles.push(now());
      if (tokenTrouble.test(line)) tokenTroubleAt = now();
      const ms = /frozen for (\d+) ms/.exec(line)?.[1];
      const asker = /^(\S+) frozen for \d+ ms at POST rpc acquire_token/.exec(line)?.[1];
      if (asker !== undefined) frozenAskers.add(asker);
      if (ms !== undefined) frozen.push({ until: now() + Number(ms) + skewMs, early: 2 });
    },
    onAnswer({ path }, status) {
      // Refused, and no token is lost.
      if (path === "/oauth/v2/token" && status >= 300) tokenTroubleAt = now();
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
      const leftBehind = troubles.filter((at) => now() <= at + aftermathMs).length;
      if (open > maxWorkers + reconciliations + calls + leftBehind) {
        violations.push(
          `${open} requests were open at ${now()}: ${maxWorkers} workers, ${calls} calls, ` +
            `${leftBehind} faults a short while ago`,
        );
      }
    },
  };
}
