/** What the emulated Mautic remembers: rows by id, and the indexes that keep 10,000 contacts fast. */
import { FIRST_CUSTOM_FIELD_ID, standardFields } from "./field_definitions.ts";
import type {
  Author,
  Campaign,
  CampaignMember,
  Contact,
  FieldDefinition,
  Hook,
  HookLogRow,
  QueuedEvent,
  Segment,
  SegmentMember,
  Tag,
  UtmTag,
  Value,
} from "./types.ts";

export interface Sequences {
  contact: number;
  field: number;
  doNotContact: number;
  tag: number;
  utmTag: number;
  ipAddress: number;
  campaign: number;
  campaignEvent: number;
  segment: number;
  hook: number;
  company: number;
}

export interface State {
  next: Sequences;
  fields: FieldDefinition[];
  contacts: Map<number, Contact>;
  /** Unique field → collated value → ids; e-mail is one of them. */
  unique: Map<string, Map<string, Set<number>>>;
  /** Merged-away id → the contact that survived. */
  merged: Map<number, number>;
  tags: Map<string, Tag>;
  companies: Map<string, { id: number; name: string; dateAdded: number }>;
  campaigns: Map<number, Campaign>;
  /** By `campaign:contact`. */
  campaignMembers: Map<string, CampaignMember>;
  segments: Map<number, Segment>;
  /** By `segment:contact`. */
  segmentMembers: Map<string, SegmentMember>;
  hooks: Map<number, Hook>;
  hookLog: HookLogRow[];
  hookQueue: QueuedEvent[];
}

export function createState(characterLimit: number): State {
  return {
    next: {
      contact: 1,
      field: FIRST_CUSTOM_FIELD_ID,
      doNotContact: 1,
      tag: 1,
      utmTag: 1,
      ipAddress: 1,
      campaign: 1,
      campaignEvent: 1,
      segment: 1,
      hook: 1,
      company: 1,
    },
    fields: standardFields(characterLimit),
    contacts: new Map(),
    unique: new Map([["email", new Map()]]),
    merged: new Map(),
    tags: new Map(),
    companies: new Map(),
    campaigns: new Map(),
    campaignMembers: new Map(),
    segments: new Map(),
    segmentMembers: new Map(),
    hooks: new Map(),
    hookLog: [],
    hookQueue: [],
  };
}

/** The next id of a table. */
export function nextId(state: State, table: keyof Sequences): number {
  return state.next[table]++;
}

/** MySQL compares in an accent- and case-insensitive collation: `Ana@…` = `ana@…`. */
export function collate(text: string): string {
  return /^[\x20-\x7e]*$/.test(text)
    ? text.toLowerCase()
    : text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** Ids that hold this value in a unique field. */
export function idsByUnique(state: State, alias: string, value: string): Set<number> {
  return state.unique.get(alias)?.get(collate(value)) ?? new Set();
}

export function contactsByEmail(state: State, email: string): Contact[] {
  return [...idsByUnique(state, "email", email)].flatMap((id) => state.contacts.get(id) ?? []);
}

/** The contact of an id; a merged-away id leads to the winner (`LeadModel::getEntity`). */
export function findContact(state: State, id: number): Contact | null {
  const seen = new Set<number>();
  let current = id;
  while (!state.contacts.has(current)) {
    const winner = state.merged.get(current);
    if (winner === undefined || seen.has(winner)) return null;
    seen.add(winner);
    current = winner;
  }
  return state.contacts.get(current) ?? null;
}

export function setValue(state: State, contact: Contact, alias: string, value: Value): void {
  unindex(state, contact, alias);
  if (value === null) contact.values.delete(alias);
  else contact.values.set(alias, value);
  index(state, contact, alias);
}

export function insertContact(state: State, contact: Contact): void {
  state.contacts.set(contact.id, contact);
  for (const alias of state.unique.keys()) index(state, contact, alias);
}

export function removeContact(state: State, contact: Contact): void {
  for (const alias of state.unique.keys()) unindex(state, contact, alias);
  state.contacts.delete(contact.id);
  for (const members of [state.campaignMembers, state.segmentMembers]) {
    for (const [key, member] of members) if (member.contactId === contact.id) members.delete(key);
  }
}

export function newContact(id: number, now: number, author: Author): Contact {
  return {
    id,
    values: new Map(),
    points: 0,
    dateAdded: now,
    dateModified: null,
    dateIdentified: null,
    lastActive: null,
    createdBy: author,
    modifiedBy: { id: null, name: null },
    ownerId: null,
    ipAddresses: [],
    tags: [],
    utmTags: new Array<UtmTag>(),
    doNotContact: [],
    companies: [],
  };
}

function index(state: State, contact: Contact, alias: string): void {
  const byValue = state.unique.get(alias);
  const value = contact.values.get(alias);
  if (!byValue || typeof value !== "string" || !state.contacts.has(contact.id)) return;
  const key = collate(value);
  const ids = byValue.get(key);
  if (ids) ids.add(contact.id);
  else byValue.set(key, new Set([contact.id]));
}

function unindex(state: State, contact: Contact, alias: string): void {
  const byValue = state.unique.get(alias);
  const value = contact.values.get(alias);
  if (!byValue || typeof value !== "string") return;
  const key = collate(value);
  const ids = byValue.get(key);
  ids?.delete(contact.id);
  if (ids?.size === 0) byValue.delete(key);
}
