import type { LeasedItem } from "shared/database/queue.ts";
import { validateAddress } from "shared/lead/address.ts";
import type { SyncSettings } from "shared/settings/sync.ts";

/** The addresses under which attempts of unknown outcome may have made the person known. */
export function attemptedAddresses(
  { attempted }: LeasedItem,
  { fieldMaxLength }: SyncSettings,
): string[] {
  return attempted.flatMap(({ address }) => {
    const checked = validateAddress(address, fieldMaxLength);
    return checked.ok ? [checked.address] : [];
  });
}
