import type { ContactDelta, ContactState } from "shared/contact/delta.ts";
import type { FieldValue } from "shared/contact/field_value.ts";
import type { Outcome } from "shared/database/outcome.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import type { LeadPayload } from "shared/lead/payload.ts";
import type { MauticContact } from "shared/mautic/contact_schema.ts";
import type { Step } from "./run.ts";

/** The contact fields that a lead stands for, and what has to be sent so that the contact shows them. */
export interface Fields {
  payload: LeadPayload;
  /** Its UTM values, for native tags; undefined: it has none. */
  utm: Record<string, string> | undefined;
  desired: Record<string, FieldValue>;
  /** What is known of the contact, and what this lead has filled of it. */
  known: ContactState;
  delta: ContactDelta;
}

/** No contact is known: one is to be created, or found by the address. */
export interface Prepared {
  stage: "prepared";
}

/** The contact's id is known, and nothing else was asked of Mautic. */
export interface Addressed {
  stage: "addressed";
  contactId: number;
}

/** Read, and not saved. */
export interface Read {
  stage: "read";
  /** As it was asked for: where the contact has another id, it was merged into that one. */
  contactId: number;
  contact: MauticContact;
}

/** The fields are in Mautic, by its own answer. */
export interface Saved {
  stage: "saved";
  /** As it was asked for; null: the contact was saved by its address. */
  contactId: number | null;
  contact: MauticContact;
  created: boolean;
}

/** Mautic has answered with the contact. */
export type Answered = Read | Saved;

/** How far a lead has got with its contact. */
export type Reach = Prepared | Addressed | Answered;

/**
 * One leased item on its way. Never changed: each step hands on a copy in which the item stands
 * further.
 */
export interface Leased<R extends Reach = Reach> {
  item: LeasedItem;
  /** The lead's, as addresses are compared; as the table has it where it is at fault; "": it has none. */
  address: string;
  /** null: nothing is to be sent, or the lead is at fault. */
  fields: Fields | null;
  reach: R;
  /** A 500 came in between: what was sent may be in Mautic, whatever was answered last. */
  mayBeDone: boolean;
}

/** Without a result so far. What is unsettled at the end is done. */
export interface Unsettled<R extends Reach = Reach> extends Leased<R> {
  state: "unsettled";
  fields: Fields;
}

/** The result of an item, as settle is told of it. */
export type Result = Pick<
  Outcome,
  | "result"
  | "action"
  | "removed_contact_ids"
  | "delay_ms"
  | "failed_alone"
  | "error_code"
  | "error_message"
  | "error_remedy"
>;

/** With a result: no further step touches it, but for a consent withdrawn (consent_of_unsent.ts). */
export interface Settled extends Leased {
  state: "settled";
  result: Result;
  /** Mautic failed (500) in a request of this kind about this item alone: it may be the cause. */
  blamed: Step | null;
}

export type Work = Unsettled | Settled;

/** A deleted lead, whose contact is to be removed. */
export interface Removal extends Leased {
  state: "removal";
}

/** Gives an item its result. */
export function withResult(work: Leased, result: Result, blamed: Step | null = null): Settled {
  const { item, address, fields, reach, mayBeDone } = work;
  return { state: "settled", item, address, fields, reach, mayBeDone, result, blamed };
}

export function isUnsettled(work: Work): work is Unsettled {
  return work.state === "unsettled";
}

/** Is the contact's id known, and the contact not? */
export function isAddressed(work: Work): work is Unsettled<Addressed> {
  return isUnsettled(work) && work.reach.stage === "addressed";
}

/** Is a contact to be created? */
export function isPrepared(work: Work): work is Unsettled<Prepared> {
  return isUnsettled(work) && work.reach.stage === "prepared";
}

/** Has Mautic answered with the contact? */
export function isAnswered(work: Work): work is Unsettled<Answered> {
  return isUnsettled(work) && contactOf(work) !== undefined;
}

/** The contact as Mautic answered with it last. */
export function contactOf({ reach }: Leased): MauticContact | undefined {
  return reach.stage === "read" || reach.stage === "saved" ? reach.contact : undefined;
}

/** The id by which the contact was known before Mautic answered. */
export function askedId({ reach }: Leased): number | undefined {
  return reach.stage === "prepared" ? undefined : reach.contactId ?? undefined;
}

/** The item with its contact as Mautic has it now. */
export function withContact<R extends Answered, T extends Leased<R>>(
  work: T,
  contact: MauticContact,
): T {
  return { ...work, reach: { ...work.reach, contact } };
}

/** The lead's consent to marketing; null: it says nothing of it. */
export function optInOf({ payload }: LeasedItem): boolean | null {
  return payload?.consent ?? null;
}

/** The aliases to which these values give something. */
export function filledAliases(desired: Fields["desired"]): string[] {
  return Object.keys(desired).filter((alias) => desired[alias] !== null);
}

/** True when the contact's fields have to be sent. */
export function hasFieldsToSend({ delta }: Fields): boolean {
  return Object.keys(delta.fields).length > 0 || delta.blanks.length > 0;
}

/** The leads, some of them as a step has made them. */
export function replace(works: Work[], changed: Work[]): Work[] {
  const byLead = new Map(changed.map((work) => [work.item.lead_id, work]));
  return works.map((work) => byLead.get(work.item.lead_id) ?? work);
}
