/** What the emulated server takes and what it offers to tests, demo and simulation. */
import type { Clock } from "shared/runtime/clock.ts";
import type { NewCampaign } from "./campaigns.ts";
import type { ArmedFault, Fault } from "./faults.ts";
import type { CustomFieldOptions } from "./field_definitions.ts";
import type { NewHook } from "./hooks.ts";
import type { Journal, Overlap, RequestEntry } from "./journal.ts";
import type { LatencyModel } from "./load.ts";
import type { Settings } from "./mautic.ts";
import type { People } from "./people.ts";
import type { CampaignMember, Contact, Deliver, Hook, User } from "./types.ts";

export interface MauticServerOptions {
  clock: Clock;
  /** 0 ≤ n < 1; tokens and secrets come from it. */
  random: () => number;
  /** What tokens and secrets begin with, so that they are known wherever they turn up. */
  secretMark?: string;
  deliver: Deliver;
  /** Lets other requests run between look-up and insert; `clock.sleep(0)` when left out. */
  turn?: () => Promise<void>;
  siteUrl?: string;
  client?: { id: string; secret: string; name?: string };
  users?: User[];
  /** Those of the product when left out. */
  customFields?: CustomFieldOptions[];
  /** Characters a text field takes; 64 as on a fresh installation. */
  characterLimit?: number;
  /** One published campaign when left out. */
  campaigns?: NewCampaign[];
  settings?: Partial<Settings>;
  latency?: LatencyModel | null;
  /** Called as soon as what a save through the API wrote can be read. */
  onContactSaved?: (contact: Contact) => void;
}

export interface MauticServer
  extends People, Omit<Journal, "begin" | "end" | "entries" | "overlaps"> {
  handle(request: Request): Promise<Response>;
  clientId: string;
  clientSecret: string;
  /** A person who may log in with Basic auth, where that is enabled. */
  admin: { username: string; password: string };
  settings: Settings;
  /** The first campaign. */
  campaignId: number;
  contacts: ReadonlyMap<number, Contact>;
  hooks: ReadonlyMap<number, Hook>;
  requests: readonly RequestEntry[];
  tokensIssued(): number;
  contactsCreated(): number;
  /** Addresses that more than one contact holds: from then on every save of them answers 422. */
  duplicateEmails(): string[];
  overlappingWrites(): readonly Overlap[];
  campaignMembers(campaignId: number): CampaignMember[];
  addField(options: CustomFieldOptions): void;
  /** As a person does who ticks Required of a field, or unticks it. */
  requireField(alias: string, isRequired: boolean): void;
  addCampaign(options: NewCampaign): number;
  /** As a person does in the interface: the hook has an owner, `ownerId` null one without. */
  addWebhook(options: NewHook & { ownerId?: number | null }): Hook;
  /** The cron of queue mode; resolves to the number of POSTs made. */
  flushHookQueue(): Promise<number>;
  setLatency(model: LatencyModel | null): void;
  failNext(fault: Fault): ArmedFault;
  clearFaults(): void;
  /** While down nothing answers: `handle` throws `ConnectionCut`. */
  setDown(isDown: boolean): void;
  revokeTokens(): void;
  setTokenLifetime(seconds: number): void;
  /** Calls per window and token; 0 switches it off. */
  rateLimit(calls: number, windowSeconds?: number): void;
  holdSaves(count: number): void;
}
