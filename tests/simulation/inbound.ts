import type { Deliver } from "../../local/mautic/types.ts";
import type { InboundRates } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Random } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/**
 * The way of Mautic's webhooks to mautic-webhook. On it they are refused, held, doubled, put off
 * (something in between takes them and passes them on later, so that they come in another order),
 * answered with an error nobody of ours gave, or applied with the answer lost.
 */
export function createInbound(
  { scheduler, random, longestWaitMs, platform, rates, note }: {
    scheduler: Scheduler;
    random: Random;
    /** Mautic waits no longer for an answer: the request that caused the webhook waits with it. */
    longestWaitMs: number;
    platform(): Platform;
    rates(): InboundRates;
    note(line: string): void;
  },
): Deliver {
  type Delivered = Parameters<Deliver>[1];

  /** Hands a request over after `delayMs`; rejects when the process dies or takes too long. */
  function send(url: string, { headers, body }: Delivered, delayMs: number): Promise<number> {
    return new Promise((resolve, reject) => {
      scheduler.after(delayMs, () => {
        const process = platform().webhook();
        process.onDeath.push(() => reject(new Error("The connection was closed.")));
        scheduler.after(longestWaitMs, () => reject(new Error("No answer.")));
        process.handle(new Request(url, { method: "POST", headers, body })).then(({ status }) => {
          if (status !== 200) note(`${process.name} answered a webhook with ${status}`);
          process.wake(random.between(1, 20), () => resolve(status));
        });
      });
    });
  }

  function later(ms: number): Promise<void> {
    return new Promise((resolve) => scheduler.after(ms, resolve));
  }

  return async (url, request) => {
    const { refused, answerLost, failed, held, doubled, deferred } = rates();
    const fate = random.next();
    let below = 0;
    const isFate = (rate: number) => fate < (below += rate);
    if (isFate(refused)) {
      note("webhook refused");
      await later(random.between(1, 30));
      throw new Error("The connection was refused.");
    }
    if (isFate(answerLost)) {
      note("webhook delivered, its answer lost");
      await send(url, request, random.between(1, 30)).catch(() => {});
      throw new Error("The connection was closed.");
    }
    if (isFate(failed)) {
      note("webhook answered with 503 by the platform");
      await later(random.between(1, 500));
      return { status: 503 };
    }
    if (isFate(deferred)) {
      const ms = random.between(1_000, 240_000);
      note(`webhook put off for ${ms} ms`);
      send(url, request, ms).catch(() => {});
      await later(random.between(1, 30));
      return { status: 200 };
    }
    if (isFate(doubled)) {
      const ms = random.between(1, 120_000);
      note(`webhook doubled, the second in ${ms} ms`);
      send(url, request, ms).catch(() => {});
    }
    const heldMs = random.chance(held)
      ? random.between(1_000, 0.7 * longestWaitMs)
      : random.between(1, 30);
    return { status: await send(url, request, heldMs) };
  };
}
