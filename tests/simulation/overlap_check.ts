import type { Overlap, RequestEntry } from "../../local/mautic/journal.ts";
import { isAskedFor } from "./history.ts";
import type { World } from "./world.ts";

/** A worker may go on with the link it was given for as long as its lease is renewed. */
const slackMs = 150_000;

/**
 * No person is written by two requests at once. Not ours to avoid is what a merge in Mautic brings
 * together while we still have a lead on the id that is gone: nobody has told us yet that the two
 * are one.
 */
export function checkOverlaps({ mautic, mauticAheadMs, deeds, ledger }: World): string[] {
  /** The ids that were merged into a contact, however many merges ago. */
  const mergedInto = (id: number, until: number): number[] =>
    deeds.merges.filter(({ winner, at }) => winner === id && at <= until)
      .flatMap(({ loser }) => [loser, ...mergedInto(loser, until)]);

  function isUnknownMerge({ person, first, second }: Overlap): boolean {
    const from = Math.min(first.startedAt, second.startedAt) - mauticAheadMs;
    const until = Math.max(first.startedAt, second.startedAt) - mauticAheadMs;
    const ids = [...idsIn(first), ...idsIn(second), Number(/^id:(\d+)$/.exec(person)?.[1])];
    const gone = new Set(deeds.merges.filter(({ at }) => at <= until).map(({ loser }) => loser));
    return ids.flatMap((id) => [id, ...mergedInto(id, until)])
      .some((id) => gone.has(id) && ledger.wasLinked(id, from - slackMs, until));
  }

  /** add_to_campaign writes no field of the contact, and waits for nobody. */
  function isAsked({ first, second }: Overlap): boolean {
    return [first, second].some(({ path, startedAt }) => {
      const added = /^\/api\/campaigns\/\d+\/contact\/(\d+)\/add$/.exec(path)?.[1];
      return added !== undefined && isAskedFor(deeds, Number(added), startedAt - mauticAheadMs);
    });
  }

  return mautic.overlappingWrites()
    .filter((overlap) => !isUnknownMerge(overlap) && !isAsked(overlap))
    .map(({ person, first, second }) =>
      `two writes at once for ${person}: ${first.path} from ${first.startedAt}, ` +
      `${second.path} from ${second.startedAt}`
    );
}

/** From our reading of contacts to the edit that follows it, on a slow network and with retries. */
const readToEditMs = 10_000;

/**
 * The addresses of contacts that a person merged between our reading of them and the batch/edit that
 * names both. Mautic saves such a contact twice (recorded: batch-patch-same-id-twice), and no call
 * asks it not to.
 */
export function doubledByMerge(
  { mautic, mauticAheadMs, deeds, ledger }: World,
): ReadonlySet<string> {
  const addresses = mautic.requests.flatMap((request) => {
    const ids = request.path.endsWith("/batch/edit") ? idsIn(request) : [];
    const since = (at: number) => request.startedAt - mauticAheadMs - at;
    return deeds.merges.filter(({ loser, winner, at }) =>
      ids.includes(loser) && ids.includes(winner) && since(at) >= 0 && since(at) < readToEditMs
    ).flatMap(({ loser, winner }) => [
      ...ledger.addressesOf(loser),
      ...ledger.addressesOf(winner),
    ]);
  });
  return new Set(addresses);
}

/** The contacts that a request names by id, in its path or as items of its batch. */
function idsIn({ path, body }: RequestEntry): number[] {
  const named = [...path.matchAll(/\/contacts?\/(\d+)/g)].map(([, id]) => Number(id));
  const items = Array.isArray(body) ? body : [];
  return [
    ...named,
    ...items.flatMap((item) =>
      typeof item === "object" && item !== null && "id" in item ? [Number(item.id)] : []
    ),
  ];
}
