/** `GET /api/stats/{table}`: rows of strings, NULL columns left out (docs/mautic.md, "Statistics"). */
import { memberRow } from "./campaign_json.ts";
import { ok } from "./answers.ts";
import type { Call } from "./mautic.ts";
import { phpSerialize, sqlDate } from "./php.ts";
import type { State } from "./state.ts";
import statsTables from "./stats_tables.json" with { type: "json" };
import type { Answer, Contact } from "./types.ts";
import { matchesAll, page, readConditions, readOrder, sortRows, UnknownColumn } from "./where.ts";

type Row = Record<string, string>;

/** Tables and their columns, as recorded. */
const tables: Record<string, string[]> = statsTables;

/** Without a known table: 200 with what there is. A wrong column: 200 with `errors`. */
export function getStats({ mautic, request }: Call, table: string): Answer {
  const columns = tables[table];
  if (!columns) {
    return ok({ availableTables: Object.keys(tables), tableColumns: tables });
  }
  const read = (row: Row, column: string) => {
    const name = column.replace(/^[a-z]+\./, "");
    return columns.includes(name) ? row[name] ?? null : undefined;
  };
  try {
    const conditions = readConditions(request.query.where);
    const rows = rowsOf(mautic.state, table).filter((row) => matchesAll(row, conditions, read));
    const sorted = sortRows(rows, readOrder(request.query), read);
    return ok({ total: String(rows.length), stats: page(sorted, request.query, 100) });
  } catch (error) {
    if (!(error instanceof UnknownColumn)) throw error;
    const message = "An exception occurred while executing a query: SQLSTATE[42S22]: " +
      `Column not found: 1054 Unknown column 's.${error.column}' in 'WHERE'`;
    return ok({ errors: [{ message, code: 1054 }] });
  }
}

function rowsOf(state: State, table: string): Row[] {
  const contacts = [...state.contacts.values()];
  switch (table) {
    case "lead_donotcontact":
      return contacts.flatMap(doNotContactRows).sort((a, b) => Number(a.id) - Number(b.id));
    case "lead_utmtags":
      return contacts.flatMap(utmRows).sort((a, b) => Number(a.id) - Number(b.id));
    case "campaign_leads":
      return [...state.campaignMembers.values()].map(memberRow);
    case "lead_lists_leads":
      return [...state.segmentMembers.values()].map((member) => ({
        leadlist_id: String(member.segmentId),
        lead_id: String(member.contactId),
        date_added: sqlDate(member.dateAdded),
        manually_removed: member.manuallyRemoved ? "1" : "0",
        manually_added: member.manuallyAdded ? "1" : "0",
      }));
    case "webhook_logs":
      return state.hookLog.map((row, index) => ({
        id: String(index + 1),
        webhook_id: String(row.hookId),
        status_code: String(row.statusCode),
        date_added: sqlDate(row.dateAdded),
      }));
    default:
      return [];
  }
}

function doNotContactRows(contact: Contact): Row[] {
  return contact.doNotContact.map((entry) => ({
    id: String(entry.id),
    lead_id: String(contact.id),
    date_added: sqlDate(entry.dateAdded),
    reason: String(entry.reason),
    channel: entry.channel,
    ...(entry.channelId === null ? {} : { channel_id: String(entry.channelId) }),
    comments: entry.comments,
  }));
}

function utmRows(contact: Contact): Row[] {
  return contact.utmTags.map((tag) => {
    const row: Record<string, string | null> = {
      id: String(tag.id),
      lead_id: String(contact.id),
      date_added: sqlDate(tag.dateAdded),
      query: phpSerialize(tag.query),
      referer: tag.referer,
      remote_host: tag.remoteHost,
      url: tag.url,
      user_agent: tag.userAgent,
      utm_campaign: tag.campaign,
      utm_content: tag.content,
      utm_medium: tag.medium,
      utm_source: tag.source,
      utm_term: tag.term,
    };
    const filled: Row = {};
    for (const [key, value] of Object.entries(row)) if (value !== null) filled[key] = value;
    return filled;
  });
}
