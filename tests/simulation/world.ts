import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { SimulatedDatabase } from "./database.ts";
import type { Deeds } from "./history.ts";
import type { PeopleLedger } from "./ledger.ts";

/** What is looked at once all is quiet. */
export interface World {
  database: SimulatedDatabase;
  mautic: MauticServer;
  /** How far Mautic's clock is ahead of the scheduler's, in milliseconds. */
  mauticAheadMs: number;
  deeds: Deeds;
  ledger: PeopleLedger;
}
