/** A contact as the API answers it and as webhooks carry it: the same data in several shapes. */
import { fieldOptions } from "./field_values.ts";
import { isoDate, phpSerialize, sqlDate } from "./php.ts";
import type { Contact, FieldDefinition, Json, JsonObject, User, Value } from "./types.ts";

export interface ContactView {
  /** Created in this very request: integer field ids, decoded properties, `utmtags` null. */
  created?: boolean;
  /** With the flat map `fields.all` (API answers; webhooks have none). */
  all?: boolean;
  /** Loaded as part of a list: number fields that were not set come as strings. */
  strings?: boolean;
  /** API answers cut a number without a scale to an integer; webhooks do not. */
  integers?: boolean;
  /** Aliases set in this request. */
  touched?: ReadonlySet<string>;
  /** Values before this save, where the grouped fields of the answer still show them (booleans). */
  stale?: ReadonlyMap<string, Value>;
  /** Aliases blanked in this request: the answer shows `""` or 0 where a later GET shows null. */
  blanked?: ReadonlySet<string>;
  /** Answers of the do-not-contact and UTM actions: nulls omitted, filled core columns on top. */
  plain?: boolean;
  minimal?: boolean;
  /** The entity after its deletion. */
  deleted?: boolean;
  /** As `batch/delete` sends it: the flat map still has the id. */
  keepsFlatId?: boolean;
  /** The contact whose values the flat map shows; its own when left out. */
  flatOf?: Contact;
  /** Serialised without groups: the entity's own columns on top. */
  columns?: boolean;
}

export interface Shapes {
  fields: readonly FieldDefinition[];
  users: readonly User[];
}

export function serialiseContact(contact: Contact, shapes: Shapes, view: ContactView): JsonObject {
  const row: JsonObject = {
    isPublished: true,
    dateAdded: isoDate(contact.dateAdded),
    dateModified: isoDate(contact.dateModified),
    createdBy: contact.createdBy.id,
    createdByUser: contact.createdBy.name,
    modifiedBy: contact.modifiedBy.id,
    modifiedByUser: contact.modifiedBy.name,
    id: view.deleted ? null : contact.id,
    points: contact.points,
    color: null,
    fields: serialiseFields(contact, shapes.fields, view),
  };
  if (view.minimal) return row;
  Object.assign(row, {
    lastActive: isoDate(contact.lastActive),
    owner: serialiseOwner(contact.ownerId, shapes.users),
    ipAddresses: contact.ipAddresses.map(serialiseIpAddress),
    tags: contact.tags.map((tag) =>
      view.deleted ? [] : { id: tag.id, tag: tag.tag, description: null }
    ),
    utmtags: view.created ? null : contact.utmTags.map((tag) => ({
      id: tag.id,
      query: tag.query,
      referer: tag.referer,
      remoteHost: tag.remoteHost,
      url: tag.url,
      userAgent: tag.userAgent,
      utmCampaign: tag.campaign,
      utmContent: tag.content,
      utmMedium: tag.medium,
      utmSource: tag.source,
      utmTerm: tag.term,
    })),
    stage: null,
    dateIdentified: isoDate(contact.dateIdentified),
    preferredProfileImage: null,
    doNotContact: contact.doNotContact.map((entry) => ({
      id: entry.id,
      ...(view.plain ? { dateAdded: isoDate(entry.dateAdded) } : {}),
      reason: entry.reason,
      comments: entry.comments,
      channel: entry.channel,
      channelId: entry.channelId,
    })),
    frequencyRules: [],
  });
  if (view.columns) return { ...ownColumns(contact), ...row };
  return view.plain ? withoutNulls({ ...ownColumns(contact), ...row }) : row;
}

function serialiseFields(
  contact: Contact,
  fields: readonly FieldDefinition[],
  view: ContactView,
): JsonObject {
  const groups: JsonObject = {};
  const byGroup: Record<string, JsonObject> = {};
  const isGone = view.deleted && !view.keepsFlatId;
  const all: JsonObject = { id: isGone ? null : String((view.flatOf ?? contact).id) };
  for (const field of fields) {
    const value = shownValue(contact, field, view);
    const shown: JsonObject = view.created ? createdMeta(field) : loadedMeta(field);
    shown.value = value;
    shown.normalizedValue = normalise(field, value);
    (byGroup[field.group] ??= {})[field.alias] = shown;
    all[field.alias] = view.flatOf
      ? shownValue(view.flatOf, field, view)
      : flatValue(contact, field, value, view);
  }
  for (const group of ["core", "social", "personal", "professional"]) {
    groups[group] = byGroup[group] ?? [];
  }
  Object.assign(groups, byGroup);
  if (view.all) groups.all = all;
  return groups;
}

function shownValue(contact: Contact, field: FieldDefinition, view: ContactView): Value {
  if (view.blanked?.has(field.alias)) {
    return field.type === "number" && view.integers ? 0 : "";
  }
  const stale = view.stale?.get(field.alias);
  if (stale !== undefined) return Number(stale);
  if (field.alias === "last_active" && !view.created) {
    return contact.lastActive === null ? null : sqlDate(contact.lastActive);
  }
  const isPoints = field.alias === "points";
  const value = isPoints ? contact.points : contact.values.get(field.alias) ?? null;
  if (isPoints && view.created && contact.points === 0 && !view.touched?.has("points")) return null;
  if (field.type !== "number" || value === null) return value;
  if (view.strings && !view.touched?.has(field.alias)) return String(value);
  return view.integers && field.properties.scale === undefined ? Math.trunc(Number(value)) : value;
}

function flatValue(
  contact: Contact,
  field: FieldDefinition,
  shown: Value,
  view: ContactView,
): Value {
  if (field.alias === "points") return contact.points;
  if (view.stale?.has(field.alias)) return contact.values.get(field.alias) ?? null;
  return view.blanked?.has(field.alias) && field.type !== "number" ? null : shown;
}

function normalise(field: FieldDefinition, value: Value): Value {
  if (value === null || value === "") return "";
  if (field.type === "boolean") {
    return String(field.properties[value ? "yes" : "no"] ?? (value ? "Yes" : "No"));
  }
  if (field.type === "select" || field.type === "multiselect") {
    const options = fieldOptions(field);
    return String(value).split("|").map((item) => options.get(item) ?? item).join("|");
  }
  return value;
}

function createdMeta(field: FieldDefinition): JsonObject {
  return {
    id: field.id,
    group: field.group,
    label: field.label,
    alias: field.alias,
    type: field.type,
    properties: Object.keys(field.properties).length === 0 ? [] : field.properties,
  };
}

function loadedMeta(field: FieldDefinition): JsonObject {
  return {
    id: String(field.id),
    label: field.label,
    alias: field.alias,
    type: field.type,
    group: field.group,
    object: "lead",
    is_fixed: field.isFixed ? "1" : "0",
    properties: phpSerialize(field.properties),
    default_value: field.defaultValue,
  };
}

function serialiseOwner(ownerId: number | null, users: readonly User[]): Json {
  const owner = users.find((user) => user.id === ownerId);
  if (!owner) return null;
  return {
    createdByUser: null,
    modifiedByUser: null,
    id: owner.id,
    username: owner.username,
    firstName: owner.firstName,
    lastName: owner.lastName,
  };
}

function serialiseIpAddress(address: { id: number; ipAddress: string }): JsonObject {
  const unknown = ["city", "region", "zipcode", "country", "latitude", "longitude", "isp"];
  return {
    ipAddress: address.ipAddress,
    id: address.id,
    ipDetails: Object.fromEntries(
      [...unknown, "organization", "timezone", "extra"].map((key) => [key, ""]),
    ),
  };
}

/** The core fields that are properties of the entity itself. */
const OWN_COLUMNS = ["title", "firstname", "lastname", "company", "position", "email", "phone"]
  .concat(["mobile", "address1", "address2", "city", "state", "zipcode", "timezone", "country"]);

function ownColumns(contact: Contact): JsonObject {
  return Object.fromEntries(OWN_COLUMNS.map((alias) => [alias, contact.values.get(alias) ?? null]));
}

/** JMS drops nulls where no context asks for them. */
function withoutNulls(value: JsonObject): JsonObject {
  const strip = (item: Json): Json => {
    if (Array.isArray(item)) return item.map(strip);
    return typeof item === "object" && item !== null ? withoutNulls(item) : item;
  };
  return Object.fromEntries(
    Object.entries(value).filter(([, item]) => item !== null).map(([key, item]) => [
      key,
      strip(item),
    ]),
  );
}
