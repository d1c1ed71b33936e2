/** What every part of the emulator works on. */
import type { Clock } from "shared/runtime/clock.ts";
import type { Load, Work } from "./load.ts";
import type { State } from "./state.ts";
import type { Actor, ApiRequest, Contact, Deliver, User } from "./types.ts";

/** The configuration an administrator of Mautic can change. */
export interface Settings {
  apiEnabled: boolean;
  basicAuthEnabled: boolean;
  tokenLifetimeSeconds: number;
  /** Calls per window and token; 0 is off, the default. */
  rateLimit: number;
  rateLimitWindowSeconds: number;
  /** `immediate_process` sends in the middle of the API call, `command_process` by cron. */
  webhookMode: "immediate" | "queue";
}

export interface Mautic {
  clock: Clock;
  /** 0 ≤ n < 1. */
  random: () => number;
  secretMark: string;
  deliver: Deliver;
  siteUrl: string;
  settings: Settings;
  users: User[];
  state: State;
  load: Load;
  /** Called for every contact row that comes into being. */
  onContactCreated: () => void;
  /** Called as soon as what a save wrote can be read. */
  onContactSaved: (contact: Contact) => void;
}

/** One authorised API request on its way through a route. */
export interface Call {
  mautic: Mautic;
  actor: Actor;
  request: ApiRequest;
  work: Work;
}
