/** May this project send to its Mautic? */
import { type Deployment, goLiveStatement, isSamePair, originalsOf, type Pair } from "../live.ts";
import { fail, type Finding, notChecked, pass, warn } from "./finding.ts";

/**
 * Judged for the function that is deployed: this machine may know project and Mautic by other names.
 *
 * @param told What the function says of itself; null: nothing.
 * @param queued How many leads wait to be sent.
 */
export function judgeLive(told: Pair | null, known: Deployment[], queued: number): Finding {
  const check = "outbox.live";
  if (told === null) return notChecked(check, "mautic-sync does not tell its project and Mautic");
  const { project, origin } = told;
  if (known.some((each) => each.live && isSamePair(each, told))) {
    return pass(check, `project ${project} sends to ${origin}`);
  }
  const originals = originalsOf(told, known);
  const why = originals.length > 0
    ? `this database was copied from project ${originals.join(", ")}; it sends nothing`
    : `nobody has said yet that project ${project} sends to ${origin}; nothing leaves`;
  const remedy = originals.length > 0
    ? `Right for a preview or a clone. To let it send all the same: ${goLiveStatement(told)}`
    : `deno task setup asks, with the numbers; or: ${goLiveStatement(told)}`;
  return queued > 0
    ? fail(check, `${why}, and ${queued} leads are queued`, remedy)
    : warn(check, why, remedy);
}
