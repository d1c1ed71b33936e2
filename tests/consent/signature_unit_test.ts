import assert from "node:assert/strict";
import { z } from "zod";
import { marked } from "../../local/canary/canary.ts";
import {
  type ProofSettings,
  readProof,
  sign,
  signatureHeader,
} from "../../supabase/functions/mautic-webhook/signature.ts";
import { readFixture, recordedDeliveries } from "./support.ts";

const encoder = new TextEncoder();
const body = '{"a":"\\u00e9 \\/"}';
const key = "the-signing-key";
const secret = marked("the-secret");

async function proves(
  settings: ProofSettings,
  { query = "", signature }: { query?: string; signature?: string },
): Promise<boolean> {
  const request = new Request(`https://f.test/mautic-webhook${query}`, {
    method: "POST",
    headers: signature === undefined ? {} : { [signatureHeader]: signature },
  });
  const proof = await readProof(request, settings);
  return proof.state === "signed"
    ? await proof.verify(encoder.encode(body))
    : proof.state === "accepted";
}

Deno.test("sign() makes the signatures that Mautic made", async () => {
  const vectors = (await recordedDeliveries()).filter((delivery) => delivery.key !== null);
  assert.ok(vectors.length > 150);
  for (const delivery of vectors) {
    const made = await sign(encoder.encode(delivery.body), delivery.key ?? "");
    assert.equal(made, delivery.headers[signatureHeader], delivery.case);
  }
  const example = z.object({ secret: z.string(), rawBody: z.string(), headerValue: z.string() })
    .parse(JSON.parse(await readFixture("webhook-signature-example.json")));
  assert.equal(await sign(encoder.encode(example.rawBody), example.secret), example.headerValue);
});

Deno.test("the secret in the address suffices, whatever Mautic signed with", async () => {
  const settings = { secret, signingKey: null };
  assert.equal(await proves(settings, { query: `?secret=${secret}` }), true);
  const invented = await sign(encoder.encode(body), "a key Mautic invented");
  assert.equal(await proves(settings, { query: `?secret=${secret}`, signature: invented }), true);
  const special = "a b&c=d+é%";
  const query = `?x=1&secret=${encodeURIComponent(special)}`;
  assert.equal(await proves({ secret: special, signingKey: null }, { query }), true);
});

Deno.test("a signature made with the secret suffices too", async () => {
  const signature = await sign(encoder.encode(body), secret);
  assert.equal(await proves({ secret, signingKey: null }, { signature }), true);
});

Deno.test("with a signing key, only a signature made with it counts", async () => {
  const settings = { secret, signingKey: key };
  const signature = await sign(encoder.encode(body), key);
  assert.equal(await proves(settings, { signature }), true);
  assert.equal(await proves(settings, { signature, query: `?secret=${secret}` }), true);
  assert.equal(await proves({ secret: null, signingKey: key }, { signature }), true);
  assert.equal(await proves(settings, { query: `?secret=${secret}` }), false);
  const bySecret = await sign(encoder.encode(body), secret);
  assert.equal(await proves(settings, { signature: bySecret, query: `?secret=${secret}` }), false);
});

Deno.test("wrong, missing, doubled and cut proofs are refused", async (t) => {
  const settings = { secret, signingKey: null };
  const signature = await sign(encoder.encode(body), secret);
  const hex = [...atob(signature)].map((c) => c.charCodeAt(0).toString(16).padStart(2, "0"));
  const cases: [string, { query?: string; signature?: string }][] = [
    ["nothing", {}],
    ["an empty secret", { query: "?secret=" }],
    ["a wrong secret", { query: "?secret=other" }],
    ["a cut secret", { query: `?secret=${secret.slice(0, -1)}` }],
    ["a longer secret", { query: `?secret=${secret}x` }],
    ["another case", { query: `?secret=${secret.toUpperCase()}` }],
    ["another name", { query: `?Secret=${secret}` }],
    ["twice the right one", { query: `?secret=${secret}&secret=${secret}` }],
    ["twice, with a signature", { query: `?secret=${secret}&secret=${secret}`, signature }],
    ["an empty signature", { signature: "" }],
    ["a cut signature", { signature: signature.slice(0, -2) }],
    ["a signature twice", { signature: `${signature}, ${signature}` }],
    ["a prefix", { signature: `sha256=${signature}` }],
    ["hex", { signature: hex.join("") }],
    ["of another body", { signature: await sign(encoder.encode(`${body} `), secret) }],
    ["with another key", { signature: await sign(encoder.encode(body), key) }],
  ];
  for (const [name, given] of cases) {
    await t.step(name, async () => assert.equal(await proves(settings, given), false));
  }
  await t.step("neither set", async () => {
    const none = { secret: null, signingKey: null };
    assert.equal(await proves(none, { query: "?secret=" }), false);
    assert.equal(await proves(none, { signature: await sign(encoder.encode(body), "x") }), false);
  });
});
