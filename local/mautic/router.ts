/** Which handler answers which method and path. A wrong method is an unknown URL (recorded). */
import { batchEdit, batchNew } from "./batch.ts";
import {
  addToCampaign,
  contactCampaigns,
  getCampaign,
  listCampaignContacts,
  listCampaigns,
  newCampaign,
  removeFromCampaign,
} from "./campaigns.ts";
import { listContacts } from "./contact_list.ts";
import {
  changePoints,
  deleteContact,
  deleteContacts,
  editContact,
  getContact,
  newContact,
} from "./contacts.ts";
import { addDoNotContact, removeDoNotContact } from "./do_not_contact.ts";
import { getField, listFields, newField } from "./fields.ts";
import { deleteHook, editHook, getHook, listHooks, listTriggers, newHook } from "./hooks.ts";
import type { Call } from "./mautic.ts";
import {
  addManyToSegment,
  changeMembership,
  contactSegments,
  getSegment,
  listSegments,
  newSegment,
} from "./segments.ts";
import { getStats } from "./stats.ts";
import { listTags, newTag } from "./tags.ts";
import type { Answer } from "./types.ts";
import { addUtmTags, removeUtmTags } from "./utm.ts";

/** `parts` are what the groups of the pattern caught. */
type Handler = (call: Call, ...parts: string[]) => Answer | Promise<Answer>;

interface Route {
  name: string;
  methods: string[];
  pattern: RegExp;
  handler: Handler;
}

const EDIT = ["PUT", "PATCH"];

function route(name: string, methods: string | string[], path: string, handler: Handler): Route {
  const pattern = new RegExp(`^/api/${path.replaceAll("{id}", "(\\d+)")}$`);
  return { name, methods: typeof methods === "string" ? [methods] : methods, pattern, handler };
}

const ROUTES: Route[] = [
  route("contacts.list", "GET", "contacts", listContacts),
  route("contacts.new", "POST", "contacts/new", newContact),
  route("contacts.batch.new", "POST", "contacts/batch/new", batchNew),
  route("contacts.batch.edit", EDIT, "contacts/batch/edit", batchEdit),
  route("contacts.batch.delete", "DELETE", "contacts/batch/delete", deleteContacts),
  route("contacts.get", "GET", "contacts/{id}", (call, id) => getContact(call, Number(id))),
  route("contacts.edit", EDIT, "contacts/{id}/edit", (call, id) => editContact(call, Number(id))),
  route(
    "contacts.delete",
    "DELETE",
    "contacts/{id}/delete",
    (call, id) => deleteContact(call, Number(id)),
  ),
  route(
    "contacts.dnc",
    "POST",
    "contacts/{id}/dnc/([^/]+)/add",
    (call, id, channel = "") => addDoNotContact(call, Number(id), channel),
  ),
  route(
    "contacts.dnc",
    "POST",
    "contacts/{id}/dnc/([^/]+)/remove",
    (call, id, channel = "") => removeDoNotContact(call, Number(id), channel),
  ),
  route(
    "contacts.utm",
    "POST",
    "contacts/{id}/utm/add",
    (call, id) => addUtmTags(call, Number(id)),
  ),
  route(
    "contacts.utm",
    "POST",
    "contacts/{id}/utm/{id}/remove",
    (call, id, utmId) => removeUtmTags(call, Number(id), Number(utmId)),
  ),
  route(
    "contacts.points",
    "POST",
    "contacts/{id}/points/plus/{id}",
    (call, id, delta) => changePoints(call, Number(id), Number(delta)),
  ),
  route(
    "contacts.points",
    "POST",
    "contacts/{id}/points/minus/{id}",
    (call, id, delta) => changePoints(call, Number(id), -Number(delta)),
  ),
  route(
    "contacts.campaigns",
    "GET",
    "contacts/{id}/campaigns",
    (call, id) => contactCampaigns(call, Number(id)),
  ),
  route(
    "contacts.segments",
    "GET",
    "contacts/{id}/segments",
    (call, id) => contactSegments(call, Number(id)),
  ),
  route("campaigns.list", "GET", "campaigns", listCampaigns),
  route("campaigns.new", "POST", "campaigns/new", newCampaign),
  route("campaigns.get", "GET", "campaigns/{id}", (call, id) => getCampaign(call, Number(id))),
  route(
    "campaigns.contacts",
    "GET",
    "campaigns/{id}/contacts",
    (call, id) => listCampaignContacts(call, Number(id)),
  ),
  route(
    "campaigns.contact",
    "POST",
    "campaigns/{id}/contact/{id}/add",
    (call, id, contactId) => addToCampaign(call, Number(id), Number(contactId)),
  ),
  route(
    "campaigns.contact",
    "POST",
    "campaigns/{id}/contact/{id}/remove",
    (call, id, contactId) => removeFromCampaign(call, Number(id), Number(contactId)),
  ),
  route("segments.list", "GET", "segments", listSegments),
  route("segments.new", "POST", "segments/new", newSegment),
  route("segments.get", "GET", "segments/{id}", (call, id) => getSegment(call, Number(id))),
  route(
    "segments.contact",
    "POST",
    "segments/{id}/contact/{id}/add",
    (call, id, contactId) => changeMembership(call, Number(id), Number(contactId), "added"),
  ),
  route(
    "segments.contact",
    "POST",
    "segments/{id}/contact/{id}/remove",
    (call, id, contactId) => changeMembership(call, Number(id), Number(contactId), "removed"),
  ),
  route(
    "segments.contacts",
    "POST",
    "segments/{id}/contacts/add",
    (call, id) => addManyToSegment(call, Number(id)),
  ),
  route("fields.list", "GET", "fields/contact", listFields),
  route("fields.new", "POST", "fields/contact/new", newField),
  route("fields.get", "GET", "fields/contact/{id}", (call, id) => getField(call, Number(id))),
  route("tags.list", "GET", "tags", listTags),
  route("tags.new", "POST", "tags/new", newTag),
  route("hooks.list", "GET", "hooks", listHooks),
  route("hooks.triggers", "GET", "hooks/triggers", listTriggers),
  route("hooks.new", "POST", "hooks/new", newHook),
  route("hooks.get", "GET", "hooks/{id}", (call, id) => getHook(call, Number(id))),
  route("hooks.edit", EDIT, "hooks/{id}/edit", (call, id) => editHook(call, Number(id))),
  route("hooks.delete", "DELETE", "hooks/{id}/delete", (call, id) => deleteHook(call, Number(id))),
  route("stats", "GET", "stats", (call) => getStats(call, "")),
  route("stats", "GET", "stats/([^/]+)", (call, table = "") => getStats(call, table)),
];

/** The route's name (for latency) and its handler, or null for an unknown URL or method. */
export function findRoute(
  method: string,
  path: string,
): { name: string; run: (call: Call) => Answer | Promise<Answer> } | null {
  for (const { name, methods, pattern, handler } of ROUTES) {
    const match = methods.includes(method) ? pattern.exec(path) : null;
    if (match) return { name, run: (call) => handler(call, ...match.slice(1)) };
  }
  return null;
}
