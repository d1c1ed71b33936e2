import type { ActionContext } from "../connect.ts";
import type { SyncRequest } from "../request.ts";
import { addToCampaign } from "./add_to_campaign.ts";
import { startDrain } from "./drain.ts";
import { ping } from "./ping.ts";
import { startReconcile } from "./reconcile.ts";
import { upsertContact } from "./upsert_contact.ts";

/**
 * Carries out one request of mautic-sync: each action has a file beside this one.
 *
 * @throws {DatabaseError} where the database fails
 */
export async function act(request: SyncRequest, context: ActionContext): Promise<Response> {
  switch (request.action) {
    case "ping":
      return await ping(context);
    case "drain":
      return startDrain(context);
    case "reconcile_consent":
      return startReconcile(context);
    case "upsert_contact":
      return await upsertContact(request.payload, context);
    case "add_to_campaign":
      return await addToCampaign(request, context);
  }
}
