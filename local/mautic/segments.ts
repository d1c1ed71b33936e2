/**
 * Segments and their members (docs/mautic.md, "Segments and tags"). Filters are kept, not evaluated:
 * that is a cron's work.
 */
import {
  badRequest,
  contactNotFound,
  created,
  type FieldErrors,
  invalid,
  notFound,
  ok,
} from "./answers.ts";
import { emit, type HookEvent } from "./hook_delivery.ts";
import type { Call, Mautic } from "./mautic.ts";
import { isObject, isoDate, keyedById, toInteger } from "./php.ts";
import { serialiseContact } from "./serialise.ts";
import { findContact, nextId } from "./state.ts";
import type { Answer, Contact, JsonObject, Segment } from "./types.ts";

const FIELD_OPERATORS = ["=", "!=", "like", "!like", "empty", "!empty", "gt", "gte", "lt", "lte"]
  .concat(["in", "!in", "regexp", "!regexp", "startsWith", "endsWith", "contains"]);

export function listSegments({ mautic }: Call): Answer {
  const segments = [...mautic.state.segments.values()];
  return ok({
    total: segments.length,
    lists: keyedById(segments.map((segment) => [String(segment.id), serialiseSegment(segment)])),
  });
}

export function getSegment(call: Call, id: number): Answer {
  const segment = call.mautic.state.segments.get(id);
  return segment ? ok({ list: serialiseSegment(segment) }) : notFound();
}

export function newSegment({ mautic, actor, request }: Call): Answer {
  const body = isObject(request.body) ? request.body : {};
  const name = typeof body.name === "string" ? body.name : "";
  if (name === "") return invalid(400, [["name", ["A name is required."]]]);
  const filters: JsonObject[] = [];
  for (const filter of Array.isArray(body.filters) ? body.filters.filter(isObject) : []) {
    const errors = filterErrors(mautic, filter);
    if (errors.length > 0) return invalid(400, errors);
    filters.push({
      glue: filter.glue ?? "and",
      field: filter.field ?? null,
      object: filter.object ?? "lead",
      type: filter.type ?? "text",
      operator: filter.operator ?? "=",
      properties: { filter: filter.filter ?? null },
    });
  }
  const alias = typeof body.alias === "string" && body.alias !== ""
    ? body.alias
    : name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  const segment: Segment = {
    id: nextId(mautic.state, "segment"),
    name,
    alias,
    description: typeof body.description === "string" ? body.description : null,
    isPublished: body.isPublished === undefined || toInteger(body.isPublished) === 1,
    isGlobal: body.isGlobal === undefined || toInteger(body.isGlobal) === 1,
    filters,
    dateAdded: mautic.clock.now(),
    createdBy: actor.author,
  };
  mautic.state.segments.set(segment.id, segment);
  return created({ list: serialiseSegment(segment) }, `/api/segments/${segment.id}`);
}

function filterErrors(mautic: Mautic, filter: JsonObject): FieldErrors {
  const errors: FieldErrors = [];
  const isKnown = mautic.state.fields.some((field) => field.alias === filter.field);
  if (!isKnown) errors.push(["properties", ["This form should not contain extra fields."]]);
  if (!FIELD_OPERATORS.includes(String(filter.operator))) {
    errors.push(["operator", ["This value is not valid."]]);
  }
  return errors;
}

/** The same answer, and no event, when the contact is in that state already. */
export async function changeMembership(
  call: Call,
  segmentId: number,
  contactId: number,
  action: "added" | "removed",
): Promise<Answer> {
  const segment = call.mautic.state.segments.get(segmentId);
  if (!segment) return notFound();
  const contact = findContact(call.mautic.state, contactId);
  if (!contact) return contactNotFound();
  await setMembership(call, segment, contact, action);
  return ok({ success: 1 });
}

/** `{"ids": […]}`; a bare array is a bad request. Missing contacts fail singly. */
export async function addManyToSegment(call: Call, segmentId: number): Promise<Answer> {
  const segment = call.mautic.state.segments.get(segmentId);
  if (!segment) return notFound();
  const body = call.request.body;
  const ids = isObject(body) && Array.isArray(body.ids) ? body.ids : null;
  if (!ids) return badRequest();
  const details: JsonObject = {};
  for (const id of ids) {
    const contact = findContact(call.mautic.state, toInteger(id));
    if (contact) await setMembership(call, segment, contact, "added");
    details[String(id)] = { success: contact !== null };
  }
  return ok({ success: 1, details });
}

async function setMembership(
  { mautic, actor }: Call,
  segment: Segment,
  contact: Contact,
  action: "added" | "removed",
): Promise<void> {
  const key = `${segment.id}:${contact.id}`;
  const member = mautic.state.segmentMembers.get(key);
  const isMember = member !== undefined && !member.manuallyRemoved;
  if (isMember === (action === "added")) return;
  if (!member && action === "removed") return;
  mautic.state.segmentMembers.set(key, {
    segmentId: segment.id,
    contactId: contact.id,
    dateAdded: member?.dateAdded ?? mautic.clock.now(),
    manuallyAdded: action === "added",
    manuallyRemoved: action === "removed",
  });
  const event: HookEvent = {
    type: "mautic.lead_list_change",
    item: () => ({
      contact: serialiseContact(contact, {
        fields: mautic.state.fields,
        users: mautic.users,
      }, { columns: true }),
      segment: serialiseSegment(segment),
      action,
    }),
  };
  await emit(mautic, actor.author, [event]);
}

export function contactSegments({ mautic }: Call, contactId: number): Answer {
  const { state } = mautic;
  const contact = findContact(state, contactId);
  if (!contact) return notFound();
  const rows: [string, JsonObject][] = [];
  for (const segment of state.segments.values()) {
    const member = state.segmentMembers.get(`${segment.id}:${contact.id}`);
    if (!member || member.manuallyRemoved) continue;
    rows.push([String(segment.id), {
      id: segment.id,
      name: segment.name,
      alias: segment.alias,
      dateAdded: isoDate(member.dateAdded),
      manuallyRemoved: member.manuallyRemoved,
      manuallyAdded: member.manuallyAdded,
    }]);
  }
  return ok({ total: rows.length, lists: keyedById(rows) });
}

function serialiseSegment(segment: Segment): JsonObject {
  return {
    isPublished: segment.isPublished,
    dateAdded: isoDate(segment.dateAdded),
    dateModified: null,
    createdBy: segment.createdBy.id,
    createdByUser: segment.createdBy.name,
    modifiedBy: null,
    modifiedByUser: null,
    id: segment.id,
    name: segment.name,
    publicName: segment.name,
    alias: segment.alias,
    description: segment.description,
    category: null,
    filters: segment.filters,
    isGlobal: segment.isGlobal,
    isPreferenceCenter: false,
  };
}
