import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createSeal } from "shared/mautic/token/seal.ts";
import { startSync, type Sync } from "../support/sync.ts";

/** Starts function-like processes at once; resolves to where each got its token from. */
async function getTokens(sync: Sync, processes: number): Promise<string[]> {
  const program = fileURLToPath(new URL("get_token.ts", import.meta.url));
  const outputs = await Promise.all(
    Array.from({ length: processes }, () =>
      new Deno.Command(Deno.execPath(), {
        args: ["run", "-A", "--no-check", program],
        env: sync.env,
        stdout: "piped",
        stderr: "piped",
      }).output()),
  );
  for (const { success, stderr } of outputs) {
    assert.ok(success, new TextDecoder().decode(stderr));
  }
  return outputs.map(({ stdout }) => new TextDecoder().decode(stdout)).sort();
}

Deno.test("eight processes that start at once ask Mautic for one token", async () => {
  await using sync = await startSync();
  const from = await getTokens(sync, 8);
  assert.deepEqual(from, [...Array.from({ length: 7 }, () => "cache"), "mautic"]);
  assert.equal(sync.mautic.tokensIssued(), 1);
});

Deno.test("the cached token is sealed: its text is nowhere in the table", async () => {
  await using sync = await startSync();
  await getTokens(sync, 1);
  const [row] = await sync.sql<{ whole: string; sealed: string }[]>`
    select t::text as whole, t.sealed from mautic.oauth_token t`;
  const { url: origin, clientId, clientSecret } = sync.mautic;
  const token = await createSeal({ clientSecret, origin, clientId }).unseal(row!.sealed);
  assert.ok(token !== undefined && token.length > 40);
  assert.ok(!row!.whole.includes(token) && !row!.whole.includes(clientSecret));
  const stranger = createSeal({ clientSecret: "another", origin, clientId });
  assert.equal(await stranger.unseal(row!.sealed), undefined);
});
