import assert from "node:assert/strict";
import { answer, startHostileWorld } from "../security/hostile_mautic.ts";

Deno.test("Mautic's refusal of a fresh token is not told as a refusal of the caller's key", async () => {
  await using world = await startHostileWorld();
  world.hostile.misbehave(
    /^\/api\//,
    answer(
      '{"errors":[{"code":401,"message":"API authorization denied.","type":"access_denied"}]}',
      { status: 401 },
    ),
  );
  const ping = await world.sync.call({ action: "ping" });
  assert.deepEqual([ping.status, ping.answer.error?.code], [502, "mautic_unauthorized"]);
  const upsert = await world.sync.call({
    action: "upsert_contact",
    payload: { id: "1", contact: { email: "ann@example.test" } },
  });
  assert.deepEqual([upsert.status, upsert.answer.error?.code], [502, "mautic_unauthorized"]);
});
