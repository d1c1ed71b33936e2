/** The edge function behind a database webhook: one lead a call, searched for, then saved. */
import { atMost } from "../../at_most.ts";
import { createMauticApi, mauticAccess } from "../../mautic_api.ts";

const mautic = createMauticApi(mauticAccess(Deno.env.toObject()));
// pg_net sends up to 200 at once: without a bound all of them would be at Mautic at once.
const inTurn = atMost(Number(Deno.env.get("LEAD_WEBHOOK_CONCURRENCY")));

Deno.serve(async (request) => {
  const { record } = await request.json();
  await inTurn(() => mautic.searchThenSave(record));
  return Response.json({ ok: true });
});
