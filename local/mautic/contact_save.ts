/** Saving one contact: match, check, wait, write, tell the webhooks. */
import { type FieldErrors, validationError } from "./answers.ts";
import { contactEvent, touch } from "./contact_events.ts";
import { matchContact, readFields, type SaveMode, uniqueViolations } from "./contact_input.ts";
import { applyBodyEntries } from "./do_not_contact.ts";
import { companyEvent, linkCompany } from "./companies.ts";
import { parseDate } from "./field_values.ts";
import { emit, type HookEvent } from "./hook_delivery.ts";
import type { Call, Mautic } from "./mautic.ts";
import { toInteger } from "./php.ts";
import { type ContactView, serialiseContact } from "./serialise.ts";
import { insertContact, newContact, nextId, setValue } from "./state.ts";
import { applyTags } from "./tags.ts";
import type { Contact, JsonObject, Value } from "./types.ts";

export type Saved =
  | { kind: "saved"; contact: Contact; created: boolean; view: ContactView }
  | { kind: "refused"; status: number; error: JsonObject };

export interface SaveOptions {
  mode: SaveMode;
  /** The contact of an edit; a POST looks it up, a PUT to nowhere creates. */
  contact: Contact | null;
  /** An item of a batch. */
  inBatch?: boolean;
  /** Loaded with others in one query, as `batch/edit` does. */
  fromList?: boolean;
  /** Replaces the insert: the second save of one id in a `batch/edit` writes a copy. */
  insertCopy?: Contact;
}

/**
 * Saves one contact. Between look-up and insert other requests may run, and nothing locks: two
 * saves of one new address create two contacts, as they do on the real server.
 */
export async function saveContact(
  call: Call,
  body: JsonObject,
  options: SaveOptions,
): Promise<Saved> {
  const { mautic } = call;
  const { state } = mautic;
  const contact = options.contact ?? (options.mode === "post" ? matchContact(state, body) : null);
  const isPart = options.mode === "patch" ||
    (options.mode === "post" && options.inBatch === true && contact !== null);
  const input = readFields(state.fields, body, options.mode, contact, isPart);
  const violations = options.insertCopy ? [] : uniqueViolations(state, contact, input.values);
  if (input.errors.length > 0) return refused(400, [...input.errors, ...violations]);
  if (violations.length > 0) return refused(422, violations);

  await call.work.item();

  const target = options.insertCopy ?? contact ?? create(call);
  const created = options.insertCopy === undefined && contact === null;
  const { touched, changed, oldPoints, stale } = writeValues(mautic, target, input.values);
  const view: ContactView = {
    created,
    touched,
    ...(created ? {} : { stale }),
    blanked: input.blanked,
    strings: options.fromList === true,
  };
  const channelEvents = applyBodyEntries(mautic, target, body.doNotContact, created);
  const company = linkCompany(mautic, target, touched.has("company"));
  const others = writeExtras(call, target, body, created);
  mautic.onContactSaved(target);
  // Recorded: in batch/edit the points come as a string, so setting them "changes" them.
  const echoesPoints = options.fromList === true && target.points !== 0 && !created;
  const isChanged = changed || others || channelEvents.length > 0 || echoesPoints ||
    options.insertCopy !== undefined;

  const identifies = target.dateIdentified === null && (touched.size > 0 || others);
  if (identifies) target.dateIdentified = mautic.clock.now();
  if (!created && isChanged) touch(mautic, target, call.actor.author);

  const events: HookEvent[] = [...channelEvents];
  // A number that came as a string is compared, set and reported as a number once it is echoed.
  const eventView = echoesPoints ? { ...view, touched: new Set([...touched, "points"]) } : view;
  const shown: ContactView = options.insertCopy && contact
    ? { all: true, integers: true, flatOf: contact }
    : eventView;
  if (!created && !options.insertCopy && (oldPoints !== target.points || echoesPoints)) {
    events.push(contactEvent(mautic, target, "mautic.lead_points_change", {
      view: shown,
      extra: { points: { old_points: oldPoints, new_points: target.points } },
    }));
  }
  if (identifies) {
    events.push(contactEvent(mautic, target, "mautic.lead_post_save_new", { view: shown }));
  } else if (isChanged && !created) {
    events.push(contactEvent(mautic, target, "mautic.lead_post_save_update", { view: shown }));
  }
  if (company) events.push(companyEvent(mautic, target, company, view));
  await emit(mautic, call.actor.author, events);
  return { kind: "saved", contact: target, created, view };
}

/** The API's answer for a saved contact. */
export function answerOf(mautic: Mautic, saved: Saved & { kind: "saved" }): JsonObject {
  return serialiseContact(
    saved.contact,
    { fields: mautic.state.fields, users: mautic.users },
    { ...saved.view, all: true, integers: true, strings: false },
  );
}

function refused(status: number, errors: FieldErrors): Saved {
  return { kind: "refused", status, error: validationError(status, errors) };
}

function create({ mautic, actor }: Call): Contact {
  const { state, clock } = mautic;
  const contact = newContact(nextId(state, "contact"), clock.now(), actor.author);
  insertContact(state, contact);
  mautic.onContactCreated();
  return contact;
}

function writeValues(mautic: Mautic, contact: Contact, values: ReadonlyMap<string, Value>) {
  const touched = new Set<string>();
  const stale = new Map<string, Value>();
  const oldPoints = contact.points;
  let changed = false;
  for (const [alias, value] of values) {
    if (value !== null) touched.add(alias);
    if (alias === "points") {
      contact.points = Math.trunc(Number(value));
      continue;
    }
    const before = contact.values.get(alias) ?? null;
    if (before === value) continue;
    if (typeof before === "boolean") stale.set(alias, before);
    setValue(mautic.state, contact, alias, value);
    changed = true;
  }
  return { touched, changed: changed || contact.points !== oldPoints, oldPoints, stale };
}

/** Tags, owner, address of origin, last activity. Returns whether anything changed. */
function writeExtras(call: Call, contact: Contact, body: JsonObject, created: boolean): boolean {
  const { mautic } = call;
  let changed = applyTags(mautic.state, contact, body.tags);
  if ("owner" in body) {
    const ownerId = toInteger(body.owner) || null;
    changed ||= contact.ownerId !== ownerId;
    contact.ownerId = ownerId;
  }
  const ipAddress = typeof body.ipAddress === "string" ? body.ipAddress : null;
  if (ipAddress && !contact.ipAddresses.some((known) => known.ipAddress === ipAddress)) {
    contact.ipAddresses.push({ id: nextId(mautic.state, "ipAddress"), ipAddress });
    changed ||= !created;
  }
  const lastActive = typeof body.lastActive === "string" ? parseDate(body.lastActive) : null;
  if (lastActive !== null && lastActive !== contact.lastActive) {
    contact.lastActive = lastActive;
    changed = true;
  }
  return changed;
}
