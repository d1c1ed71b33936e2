import type { Stack } from "../../local/stack.ts";

/** Resolves once neither the change log nor the outbox holds anything but dead letters. */
export async function drained(stack: Stack): Promise<void> {
  await holds(stack, async () => {
    const [row] = await stack.sql<{ open: boolean }[]>`
      select exists (select from mautic.lead_change)
        or exists (select from mautic.outbox where state <> 'dead') as open`;
    return row?.open === false;
  });
}

/** Resolves once `condition` holds; asked again whenever Mautic was called or a moment has passed. */
export async function holds(stack: Stack, condition: () => Promise<boolean>): Promise<void> {
  while (!await condition()) {
    await stack.sql`select pg_sleep(0.02)`;
  }
}

/** How many contacts each address has, for addresses that match. */
export function addresses(stack: Stack, like: RegExp): string[] {
  return [...stack.mautic.contacts.values()]
    .map((contact) => String(contact.values.get("email") ?? "").toLowerCase())
    .filter((email) => like.test(email))
    .sort();
}

/** The guarantee behind the bell comes every ten seconds; a test has no time for that. */
export async function sweepEverySecond(stack: Stack): Promise<void> {
  await stack.sql`select cron.schedule('mautic-sweep', '1 second', 'select mautic.sweep()')`;
}
