/**
 * Mautic has no status for complaints: a mail provider's is an unsubscribe (1) or a bounce (2) whose
 * comment says so, e.g. "Marked as spam" (docs/mautic.md, "Do not contact").
 */
const complaint = /\bspam|complain|abuse|\bfraud/i;

/** A receiving server's filter writes of spam too; that is a bounce and no complaint. */
const filterRefusal =
  /\b[45]\d\d\b|[45]\.\d{1,3}\.\d{1,3}|anti-?spam|block|reject|refus|filter|policy|content|suspect|detect|classif|listed|blacklist|likely|score|spamhaus|spamcop/i;

/** `abuse@…` and links in a bounce text complain of nothing. */
const addressesAndLinks = /\S+@\S+|https?:\/\/\S+/gi;

/** Does the comment of a do-not-contact entry tell of a complaint? Pure and total. */
export function isComplaint(comments: string, { isBounce }: { isBounce: boolean }): boolean {
  const words = comments.slice(0, 2_000).replace(addressesAndLinks, " ");
  return complaint.test(words) && !(isBounce && filterRefusal.test(words));
}
