/** Shared shapes of the emulated Mautic: its rows, its clock, its callers. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

/** What a contact field can hold in the database. */
export type Value = string | number | boolean | null;

export const FIELD_TYPES = [
  "text",
  "textarea",
  "email",
  "tel",
  "url",
  "number",
  "boolean",
  "date",
  "datetime",
  "time",
  "select",
  "multiselect",
  "lookup",
  "region",
  "country",
  "locale",
  "timezone",
] as const;
export type FieldType = (typeof FIELD_TYPES)[number];

export interface FieldDefinition {
  id: number;
  alias: string;
  label: string;
  type: FieldType;
  group: string;
  order: number;
  isFixed: boolean;
  isShortVisible: boolean;
  isUniqueIdentifier: boolean;
  isRequired: boolean;
  properties: JsonObject;
  defaultValue: string | null;
  /** Characters the field takes; 64 on a fresh installation, e-mail included. */
  characterLimit: number;
  dateAdded: number | null;
  createdByUser: string | null;
}

export interface DoNotContactRow {
  id: number;
  channel: string;
  channelId: number | null;
  reason: number;
  comments: string;
  dateAdded: number;
}

export interface Tag {
  id: number;
  tag: string;
}

export interface UtmTag {
  id: number;
  dateAdded: number;
  query: JsonObject;
  referer: string | null;
  remoteHost: string | null;
  url: string | null;
  userAgent: string | null;
  campaign: string | null;
  content: string | null;
  medium: string | null;
  source: string | null;
  term: string | null;
}

/** Who wrote a row: a person (id and name) or a client credential (name only). */
export interface Author {
  id: number | null;
  name: string | null;
}

export interface Contact {
  id: number;
  /** Custom and core fields but `points`, by alias; a missing alias is NULL. */
  values: Map<string, Value>;
  points: number;
  dateAdded: number;
  dateModified: number | null;
  dateIdentified: number | null;
  lastActive: number | null;
  createdBy: Author;
  modifiedBy: Author;
  ownerId: number | null;
  ipAddresses: { id: number; ipAddress: string }[];
  tags: Tag[];
  utmTags: UtmTag[];
  doNotContact: DoNotContactRow[];
  companies: number[];
}

export interface Campaign {
  id: number;
  name: string;
  description: string | null;
  isPublished: boolean;
  allowRestart: boolean;
  events: JsonObject[];
  segmentIds: number[];
  canvasSettings: JsonObject;
  dateAdded: number;
  dateModified: number | null;
  createdBy: Author;
  modifiedBy: Author;
}

export interface CampaignMember {
  campaignId: number;
  contactId: number;
  dateAdded: number;
  manuallyAdded: boolean;
  manuallyRemoved: boolean;
  dateLastExited: number | null;
  /** Raised each time the person gets the flow again. */
  rotation: number;
}

export interface Segment {
  id: number;
  name: string;
  alias: string;
  description: string | null;
  isPublished: boolean;
  isGlobal: boolean;
  filters: JsonObject[];
  dateAdded: number;
  createdBy: Author;
}

export interface SegmentMember {
  segmentId: number;
  contactId: number;
  dateAdded: number;
  manuallyAdded: boolean;
  manuallyRemoved: boolean;
}

export interface Hook {
  id: number;
  name: string;
  description: string | null;
  webhookUrl: string;
  secret: string;
  eventsOrderbyDir: string | null;
  triggers: string[];
  isPublished: boolean;
  dateAdded: number;
  dateModified: number | null;
  createdBy: Author;
  modifiedBy: Author;
}

/** One row of `webhook_logs`; the auto-disable rule reads the last hundred of a hook. */
export interface HookLogRow {
  hookId: number;
  statusCode: number;
  dateAdded: number;
}

export interface QueuedEvent {
  hookId: number;
  type: string;
  item: JsonObject;
}

export interface User {
  id: number;
  username: string;
  password: string;
  firstName: string;
  lastName: string;
  /** Without it every call answers 403. */
  isAdmin: boolean;
}

/** The caller of one API request. */
export interface Actor {
  author: Author;
  isAdmin: boolean;
  /** The bucket of the rate limiter: one per access token, one for all Basic users. */
  bucket: string;
}

/** A request after its body was read. */
export interface ApiRequest {
  method: string;
  path: string;
  query: JsonObject;
  headers: Headers;
  body: Json;
  /** The body was no JSON. */
  malformed: boolean;
}

export interface Answer {
  status: number;
  body: Json;
  headers?: Record<string, string>;
  /** Made outside the API controllers: without the `Mautic-Version` header (recorded). */
  isUnversioned?: boolean;
}

/** Sends one webhook request; rejects when no connection comes about. */
export type Deliver = (
  url: string,
  request: { headers: Record<string, string>; body: string },
) => Promise<{ status: number }>;
