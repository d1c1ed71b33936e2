/** The terminal page of `deno task status`. Pure: the same report gives the same page. */
import { goLiveStatement, originalsOf } from "../live.ts";
import type { Report, Status } from "./read_status.ts";

const width = 78;

/** Renders the page; `now` in milliseconds since the epoch. Without colour: it may be piped. */
export function renderPage({ status, dead_letters }: Report, now: number): string {
  const lines = [
    `Supabase ⇄ Mautic ${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`,
    "─".repeat(width),
    `Sending    ${sending(status, now)}`,
    `Queue      ${status.unfolded} new, ${status.pending} pending, ${status.leased} with ${status.workers_alive} worker(s), ` +
    `${status.waiting} waiting, ${status.dead} dead`,
    ...notLive(status),
    ...leads(status),
    `Late       ${late(status)}`,
    `Last hour  ${status.sent_last_hour} sent, ${status.failed_last_hour} failed attempts; ` +
    `median ${span(status.latency_median_ms)}, 95 % within ${span(status.latency_p95_ms)}`,
    `Last sent  ${ago(status.last_sent_at, now)}`,
    `Token      ${ahead(status.token_expires_at, now)}`,
    `Webhook    last ${ago(status.last_webhook_at, now)}` +
    (status.webhook_failed > 0
      ? `; ${status.webhook_failed} failed: select mautic.replay_webhook(…)`
      : ""),
  ];
  if (dead_letters.length > 0) {
    const reasons = Object.entries(status.dead_by_reason).map(([why, n]) => `${n} ${why}`);
    lines.push("", `Dead letters: ${reasons.join(", ")}`, "─".repeat(width));
    for (const letter of dead_letters) {
      lines.push(
        `${letter.lead_id}  ${letter.reason ?? "?"}  ${ago(letter.since, now)}, ` +
          `${letter.attempts} attempt(s)`,
      );
      if (letter.last_error) lines.push(`    ${cut(letter.last_error, width - 4)}`);
      lines.push(`    → ${letter.remedy}`);
    }
    if (status.dead > dead_letters.length) {
      lines.push(
        `… and ${status.dead - dead_letters.length} more: select * from mautic.dead_letter`,
      );
    }
  }
  return lines.join("\n");
}

function sending(status: Status, now: number): string {
  if (status.paused) {
    const reason = status.pause_reason ? ` (${status.pause_reason})` : "";
    return `PAUSED ${ago(status.paused_at, now)}${reason}; select mautic.resume() ends it`;
  }
  if (!status.live) return "NOT LIVE: nothing leaves before somebody says mautic.go_live()";
  if (status.circuit === "open") {
    return `CIRCUIT OPEN since ${ago(status.circuit_opened_at, now)}: ${status.circuit_reason}; ` +
      `next probe ${ahead(status.circuit_probe_at, now)}`;
  }
  return "on";
}

/** The pairs of project and Mautic that asked for leads, and get none. */
function notLive({ deployments }: Status): string[] {
  const known = deployments.map(({ live_at, ...pair }) => ({ ...pair, live: live_at !== null }));
  return known.filter(({ live }) => !live).flatMap((pair) => {
    const originals = originalsOf(pair, known);
    const copied = originals.length > 0 ? ` (copied from project ${originals.join(", ")})` : "";
    return [
      `Not live   project ${pair.project}${copied} sends nothing to ${pair.origin}:`,
      `           ${goLiveStatement(pair)}`,
    ];
  });
}

/** What the tables do not give, where there is any of it. */
function leads(
  { unreadable, without_address, required_field, required_fields, shape_problems }: Status,
): string[] {
  const said = [
    ...(required_field > 0 ? [`${required_field} wait: ${required_fields}`] : []),
    ...(unreadable > 0 ? [`${unreadable} wait for a column that the table no longer gives`] : []),
    ...(without_address > 0 ? [`${without_address} have no address`] : []),
  ];
  return [
    ...(said.length > 0 ? [`Leads      ${said.join(", ")}`] : []),
    ...(shape_problems > 0
      ? [`Tables     ${shape_problems} problem(s): select * from mautic.check_shape()`]
      : []),
  ];
}

function late(status: Status): string {
  const due = status.oldest_due_age_ms === null
    ? "no live change is due"
    : `the oldest live change is ${span(status.oldest_due_age_ms)} old`;
  return status.oldest_pending_age_ms === null
    ? due
    : `${due}; the oldest of all queued ${span(status.oldest_pending_age_ms)}`;
}

function ago(at: string | null, now: number): string {
  return at === null ? "never" : `${span(Math.max(0, now - Date.parse(at)))} ago`;
}

function ahead(at: string | null, now: number): string {
  if (at === null) return "none";
  const ms = Date.parse(at) - now;
  return ms > 0 ? `in ${span(ms)}` : "due";
}

/** A span in its two largest units: `850 ms`, `12 s`, `5 min 3 s`, `2 h 10 min`, `3 d 4 h`. */
export function span(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = Math.round(ms / 1_000);
  const units: [number, string][] = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
  const at = units.findIndex(([size]) => seconds >= size);
  const [big, small] = [units[at]!, units[at + 1]];
  const rest = small ? Math.floor((seconds % big[0]) / small[0]) : 0;
  const first = `${Math.floor(seconds / big[0])} ${big[1]}`;
  return small && rest > 0 ? `${first} ${rest} ${small[1]}` : first;
}

function cut(text: string, length: number): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > length ? `${line.slice(0, length - 1)}…` : line;
}
