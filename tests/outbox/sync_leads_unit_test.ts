import assert from "node:assert/strict";
import { z } from "zod";
import { createMauticServer } from "../../local/mautic/server.ts";
import { createDatabase } from "shared/database/database.ts";
import type { LeasedItem } from "shared/database/queue.ts";
import { createLog } from "shared/runtime/log.ts";
import { outcome } from "../../supabase/functions/mautic-sync/outbound/outcome.ts";
import { startRun, type SyncContext } from "../../supabase/functions/mautic-sync/outbound/run.ts";
import { syncLeads } from "../../supabase/functions/mautic-sync/outbound/sync_leads.ts";
import { client, testClock } from "../mautic/support.ts";
import { leasedItem, syncSettings } from "../support/items.ts";
import { fieldMap, leadPayload } from "../support/payload.ts";

/** The steps of a sync with an emulated Mautic in this process, and a database that says no to all. */
async function steps(env: Record<string, string> = {}) {
  const settings = syncSettings(env);
  const site = settings.baseUrl;
  const server = createMauticServer({
    clock: testClock(),
    random: () => 0.5,
    deliver: () => Promise.resolve({ status: 200 }),
    turn: () => Promise.resolve(),
    siteUrl: site,
  });
  const body = new URLSearchParams({
    grant_type: "client_credentials",
    client_id: server.clientId,
    client_secret: server.clientSecret,
  });
  const granted = await server.handle(
    new Request(`${site}/oauth/v2/token`, { method: "POST", body }),
  );
  const { access_token: token } = z.object({ access_token: z.string() }).parse(
    await granted.json(),
  );
  const { mautic, clock } = client(site, {
    fetch: (input, init) => server.handle(new Request(input, init)),
    tokens: {
      get: () => Promise.resolve(token),
      drop: () => Promise.resolve(),
      lastFrom: () => undefined,
    },
  });
  const database = createDatabase({
    url: "https://database.example.test",
    secretKey: "secret",
    timeoutMs: 1_000,
    fetch: () => Promise.resolve(Response.json(false)),
  });
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    name: "test",
    write: (line) => lines.push(JSON.parse(line)),
    now: clock.now,
  });
  const run = startRun(settings);
  const context: SyncContext = { mautic, database, settings, clock, random: () => 0.5, log, run };

  return {
    server,
    lines,
    /** What the one lead came to, as settle is told. */
    async send(item: LeasedItem) {
      const [synced] = await syncLeads({ items: [item], field_map: fieldMap }, context);
      assert.ok(synced);
      return outcome(synced.work, log);
    },
  };
}

const full = leadPayload("ann", {
  consent: true,
  fields: { firstname: "Ann", phone: "+491", hki_utm_source: "ad" },
});

/** The item of a lead that is in Mautic as contact `id`, with what it says by now. */
function known(id: number | undefined, payload: LeasedItem["payload"]): LeasedItem {
  return leasedItem("ann", {
    operation: "edit",
    payload,
    address: payload?.email ?? null,
    contact_id: id ?? null,
    snapshot: {
      firstname: "Ann",
      phone: "+491",
      hki_utm_source: "ad",
      email: "ann@example.test",
    },
    filled: ["firstname", "phone", "email"],
  });
}

for (
  const [name, more, expected] of [
    ["has no address any more", { email: null }, {
      result: "done",
      action: "without_address",
    }],
    ["has an address that is none", { email: "removed" }, {
      result: "dead",
      error_code: "invalid_email",
    }],
    ["is read without its address, a column that is gone,", { email: null, missing: ["email"] }, {
      result: "postponed",
      error_code: "unreadable",
      error_message: "The table no longer gives email.",
    }],
    ["is read without a field, whose column is gone,", { missing: ["company"] }, {
      result: "postponed",
      error_code: "unreadable",
      error_message: "The table no longer gives company.",
    }],
  ] as const
) {
  Deno.test(`a withdrawal of consent reaches the contact of a lead that ${name}`, async () => {
    const { send, server } = await steps();
    const { contact_id: id } = await send(leasedItem("ann", { payload: full }));
    const before = server.requests.length;
    const missing = "missing" in more ? [...more.missing] : [];
    const payload = leadPayload("ann", { ...full, ...more, missing, consent: false });
    const told = await send(known(id, payload));
    assert.deepEqual(
      Object.fromEntries(Object.keys(expected).map((key) => [key, Object(told)[key]])),
      expected,
    );
    const contact = server.contacts.get(id ?? 0);
    assert.deepEqual(contact?.doNotContact.map(({ reason }) => reason), [3]);
    assert.deepEqual(told.do_not_contact?.map(({ reason }) => reason), [3]);
    const sent = server.requests.slice(before).filter(({ method }) => method !== "GET");
    assert.deepEqual(sent.map(({ path }) => path), [`/api/contacts/${id}/dnc/email/add`]);
    assert.equal(contact?.values.get("email"), "ann@example.test");
    if (told.action === "without_address") {
      assert.deepEqual([told.lead_address, told.changed_at, told.shows_lead], [
        undefined,
        undefined,
        undefined,
      ]);
    }
  });
}

Deno.test("a lead without an address makes no request, whatever else it says", async () => {
  const { send, server } = await steps();
  const before = server.requests.length;
  const payload = { ...full, email: null, consent: false };
  const told = await send(leasedItem("ann", { payload, address: null }));
  assert.deepEqual(told, { lead_id: "ann", result: "done", action: "without_address" });
  const consenting = { ...payload, consent: true, fields: { firstname: "Bea" } };
  await send(known(7, consenting));
  assert.equal(server.requests.length, before);
});

Deno.test("silence changes nothing in Mautic, null blanks what the lead filled, attribution stays", async () => {
  const { send, server } = await steps();
  const { contact_id: id } = await send(leasedItem("ann", { payload: full }));
  const before = server.requests.length;
  const silent = await send(known(id, leadPayload("ann", { consent: true })));
  assert.deepEqual([silent.result, silent.action], ["done", "unchanged"]);
  assert.equal(server.requests.length, before);
  const fields = { phone: null, hki_utm_source: null };
  const blanked = await send(known(id, leadPayload("ann", { consent: true, fields })));
  assert.equal(blanked.action, "updated");
  const values = server.contacts.get(id ?? 0)?.values;
  assert.ok(!values?.get("phone"));
  assert.deepEqual([values?.get("firstname"), values?.get("hki_utm_source")], ["Ann", "ad"]);
});

Deno.test("what cannot be read in a row is logged once, by name and without its value", async () => {
  const { send, lines } = await steps();
  const payload = leadPayload("ann", { ...full, unreadable: ["consent", "hki_score"] });
  assert.equal((await send(leasedItem("ann", { payload }))).result, "done");
  const told = lines.filter(({ message }) => message === "lead_unreadable");
  assert.equal(told.length, 1);
  assert.deepEqual([told[0]?.["leadId"], told[0]?.["names"]], ["ann", ["consent", "hki_score"]]);
});

Deno.test("native UTM tags are made of the fields that hold UTM values", async () => {
  const { send, server } = await steps({ MAUTIC_NATIVE_UTM_TAGS: "true" });
  const fields = { hki_utm_source: " ad ", hki_utm_campaign: null, firstname: "Ann" };
  const { contact_id: id } = await send(
    leasedItem("ann", { payload: leadPayload("ann", { fields }) }),
  );
  const tags = server.contacts.get(id ?? 0)?.utmTags;
  assert.deepEqual(tags?.map(({ source, campaign }) => [source, campaign ?? null]), [
    ["ad", null],
  ]);
});
