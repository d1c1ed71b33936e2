/** `GET /api/contacts`: where, search, order, paging. */
import { exception, ok } from "./answers.ts";
import type { Call, Mautic } from "./mautic.ts";
import { sqlDate } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { collate, idsByUnique, type State } from "./state.ts";
import type { Answer, Contact, JsonObject } from "./types.ts";
import {
  type Columns,
  type Condition,
  matchesAll,
  page,
  readConditions,
  readOrder,
  sortRows,
  UnknownColumn,
} from "./where.ts";

/** `default_pagelimit`. */
const DEFAULT_LIMIT = 30;

/** The envelope is keyed by id, `total` is a string, an empty result is `{}`. */
export function listContacts({ mautic, request }: Call): Answer {
  const { query } = request;
  const columns = contactColumns(mautic);
  try {
    const conditions = readConditions(query.where);
    const candidates = candidatesFor(mautic.state, conditions, String(query.search ?? ""));
    const matching = candidates.filter((contact) => matchesAll(contact, conditions, columns));
    const orderings = readOrder(query);
    const sorted = orderings.length > 0
      ? sortRows(matching, orderings, columns)
      : sortRows(matching, [{ col: "last_active", descending: true }], columns);
    const isMinimal = String(query.minimal ?? "") === "1" || query.minimal === "true";
    const shapes = { fields: mautic.state.fields, users: mautic.users };
    const view = { all: true, integers: true, minimal: isMinimal };
    const contacts: JsonObject = {};
    for (const contact of page(sorted, query, DEFAULT_LIMIT)) {
      contacts[String(contact.id)] = serialiseContact(contact, shapes, view);
    }
    return ok({ total: String(matching.length), contacts });
  } catch (error) {
    if (error instanceof UnknownColumn) return exception(500);
    throw error;
  }
}

/** The rows a search or an indexed condition leaves, in id order. */
function candidatesFor(state: State, conditions: Condition[], search: string): Contact[] {
  if (search !== "") return searchContacts(state, search);
  const indexed = conditions.find((condition) =>
    (condition.col === "email" || condition.col === "id") &&
    (condition.expr === "eq" || condition.expr === "in")
  );
  if (!indexed) return [...state.contacts.values()];
  const values = indexed.expr === "in" ? indexed.val.split(",") : [indexed.val];
  const ids = indexed.col === "id"
    ? values.map(Number)
    : values.flatMap((value) => [...idsByUnique(state, "email", value)]);
  return byIds(state, ids);
}

function byIds(state: State, ids: Iterable<number>): Contact[] {
  return [...new Set(ids)].sort((a, b) => a - b).flatMap((id) => state.contacts.get(id) ?? []);
}

/** The parts of the fuzzy search syntax a client may use: `ids:`, `email:`, `segment:`, plain text. */
function searchContacts(state: State, search: string): Contact[] {
  const [, command, rest] = /^(ids|email|segment):(.*)$/s.exec(search.trim()) ?? [];
  const text = rest ?? search.trim();
  if (command === "ids") return byIds(state, text.split(",").map(Number));
  if (command === "email" && !text.includes("%") && !text.includes("*")) {
    return byIds(state, idsByUnique(state, "email", text));
  }
  if (command === "segment") {
    const segment = [...state.segments.values()].find((item) => item.alias === text);
    return byIds(
      state,
      [...state.segmentMembers.values()].filter((member) =>
        member.segmentId === segment?.id && !member.manuallyRemoved
      ).map((member) => member.contactId),
    );
  }
  const wanted = collate(text.replaceAll(/[%*]/g, ""));
  return [...state.contacts.values()].filter((contact) =>
    ["email", "firstname", "lastname", "company"].some((alias) =>
      collate(String(contact.values.get(alias) ?? "")).includes(wanted)
    )
  );
}

const ENTITY_COLUMNS: Record<string, string> = {
  dateAdded: "date_added",
  dateModified: "date_modified",
  dateIdentified: "date_identified",
  lastActive: "last_active",
};

function contactColumns(mautic: Mautic): Columns<Contact> {
  const aliases = new Set(mautic.state.fields.map((field) => field.alias));
  const date = (milliseconds: number | null) =>
    milliseconds === null ? null : sqlDate(milliseconds);
  return (contact, column) => {
    const name = ENTITY_COLUMNS[column] ?? column;
    switch (name) {
      case "id":
        return contact.id;
      case "points":
        return contact.points;
      case "date_added":
        return date(contact.dateAdded);
      case "date_modified":
        return date(contact.dateModified);
      case "date_identified":
        return date(contact.dateIdentified);
      case "last_active":
        return date(contact.lastActive);
    }
    return aliases.has(name) ? contact.values.get(name) ?? null : undefined;
  };
}
