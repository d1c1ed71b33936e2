import assert from "node:assert/strict";
import { fixedLatency } from "../../local/mautic/load.ts";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

async function actions(sync: Sync): Promise<(string | null)[]> {
  const rows = await sync.sql<{ action: string | null }[]>`
    select action from mautic.sync_history order by id`;
  return rows.map((row) => row.action);
}

function deletions(sync: Sync): string[] {
  return sync.mautic.requests.filter((request) => request.method === "DELETE")
    .map((request) => request.path);
}

/** Lets Mautic's delete be told by the client, not by a person. */
async function emailEntries(sync: Sync, email: string) {
  const id = sync.mautic.contactByEmail(email)?.id;
  const rows = await sync.sql<{ do_not_contact: unknown }[]>`
    select do_not_contact from mautic.contact where contact_id = ${id ?? 0}`;
  return { id, rows };
}

for (
  const [setting, expected] of [
    ["keep", { contact: true, calls: 0 }],
    ["do_not_contact", { contact: true, calls: 1 }],
    ["delete_contact", { contact: false, calls: 1 }],
  ] as const
) {
  Deno.test(`with on_lead_delete = ${setting} a deleted lead's contact becomes that`, async () => {
    await using sync = await startSync();
    await sync.sql`select mautic.set('on_lead_delete', ${setting})`;
    const id = await insertLead(sync.sql, "gone@example.test");
    const stays = await insertLead(sync.sql, "stays@example.test");
    await sync.drain();
    const before = sync.mautic.requests.filter((request) => request.method !== "GET").length;
    await sync.sql`delete from public.leads where id = ${id}`;
    await sync.drain();

    const calls = sync.mautic.requests.filter((request) => request.method !== "GET").slice(before);
    assert.equal(calls.length, expected.calls, JSON.stringify(calls.map((call) => call.path)));
    assert.equal(sync.mautic.contactByEmail("gone@example.test") !== null, expected.contact);
    assert.ok(sync.mautic.contactByEmail("stays@example.test"));
    assert.deepEqual(await outbox(sync.sql), []);
    const links = await sync.sql<{ lead_id: string }[]>`select lead_id from mautic.contact_link`;
    assert.deepEqual(
      links.map((link) => link.lead_id).sort(),
      setting === "delete_contact" ? [stays] : [id, stays].sort(),
    );
    if (setting === "do_not_contact") {
      assert.match(String(calls[0]?.path), /dnc\/email\/add$/);
      assert.equal((await emailEntries(sync, "gone@example.test")).rows.length, 1);
    }
    assert.equal(
      (await actions(sync)).at(-1),
      {
        keep: "created",
        do_not_contact: "do_not_contact",
        delete_contact: "deleted",
      }[setting],
    );
  });
}

Deno.test("a contact that another lead uses, by link or by address, is never touched", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const first = await insertLead(sync.sql, "shared@example.test");
  await sync.drain();
  const second = await insertLead(sync.sql, "Shared@example.test");
  await sync.drain();
  await sync.sql`delete from public.leads where id = ${first}`;
  await sync.drain();
  assert.deepEqual(deletions(sync), []);
  assert.deepEqual(await outbox(sync.sql), []);

  // The last one goes, but somebody with that address came in the same moment.
  await sync.sql`
    with gone as (delete from public.leads where id = ${second})
    insert into public.leads (email) values ('shared@example.test')`;
  await sync.drain();
  assert.deepEqual(deletions(sync), []);
  await sync.sql`delete from public.leads`;
  await sync.drain();
  assert.equal(deletions(sync).length, 1);
  assert.equal((await sync.sql`select from mautic.contact_link`).count, 0);
});

Deno.test("a lead that appears between claim and call keeps its contact", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const id = await insertLead(sync.sql, "late@example.test");
  await sync.drain();
  await sync.sql`delete from public.leads where id = ${id}`;
  // Mautic's answer to the reading comes when the new lead is there already.
  sync.mautic.setLatency(fixedLatency(500));
  const draining = sync.drain();
  await sync.until(async () =>
    (await sync.sql`select from mautic.outbox where state = 'leased'`).count === 1
  );
  await insertLead(sync.sql, "late@example.test");
  await draining;
  assert.deepEqual(deletions(sync), []);
  assert.ok((await actions(sync)).includes("kept"));
});

Deno.test("a deleted lead that was merged in Mautic deletes the survivor only if nobody uses it", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const loser = await insertLead(sync.sql, "loser@example.test");
  await insertLead(sync.sql, "winner@example.test");
  await sync.drain();
  const ids = ["loser", "winner"].map((name) =>
    sync.mautic.contactByEmail(`${name}@example.test`)!.id
  );
  await sync.mautic.mergeContacts(ids[0]!, ids[1]!);
  await sync.sql`delete from public.leads where id = ${loser}`;
  await sync.drain();
  assert.deepEqual(deletions(sync), []);
  assert.ok(sync.mautic.contactByEmail("winner@example.test"));
});

Deno.test("a removal waits out an outage, and one of a contact that is gone already is done", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const ids = [
    await insertLead(sync.sql, "a@example.test"),
    await insertLead(sync.sql, "b@example.test"),
  ];
  await sync.drain();
  await sync.mautic.deleteContact(sync.mautic.contactByEmail("b@example.test")!.id);
  await sync.sql`delete from public.leads`;
  await sync.mautic.setDown(true);
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting", "waiting"]);
  await sync.mautic.setDown(false);
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(sync.mautic.contacts.size, 0);
  assert.equal(ids.length, 2);
});

Deno.test("a lead deleted and inserted again under its key is synced, not removed", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.set('on_lead_delete', 'delete_contact')`;
  const id = await insertLead(sync.sql, "again@example.test");
  await sync.drain();
  await sync.sql`delete from public.leads where id = ${id}`;
  await insertLead(sync.sql, "again@example.test", { id, first_name: "Again" });
  await sync.drain();
  assert.deepEqual(deletions(sync), []);
  assert.equal(
    sync.mautic.contactByEmail("again@example.test")?.values.get("firstname"),
    "Again",
  );
});

Deno.test("a contact deleted in Mautic is created again or left, as set, and the lead tells of it", async () => {
  for (const setting of ["recreate", "leave"]) {
    await using sync = await startSync();
    await sync.sql`select mautic.set('on_contact_deleted', ${setting})`;
    const id = await insertLead(sync.sql, "del@example.test");
    await sync.drain();
    const contactId = sync.mautic.contactByEmail("del@example.test")!.id;
    await sync.mautic.deleteContact(contactId);
    for (const name of ["One", "Two"]) {
      await sync.sql`update public.leads set first_name = ${name} where id = ${id}`;
      await sync.drain();
      await sync.drain();
    }
    assert.equal(sync.mautic.contacts.size, setting === "recreate" ? 1 : 0, setting);
    assert.deepEqual(await outbox(sync.sql), []);
    const activity = await sync.sql<{ type: string; detail: Record<string, unknown> }[]>`
      select type, detail from public.lead_activity where lead_id = ${id}`;
    assert.deepEqual(activity.map((row) => [row.type, row.detail]), [
      ["contact_deleted", { contact_id: contactId, reaction: setting }],
    ]);
    if (setting === "leave") {
      await sync.sql`select mautic.replay(${id}, force => true)`;
      await sync.drain();
      assert.ok(sync.mautic.contactByEmail("del@example.test"), "a forced replay creates it");
      await sync.sql`update public.leads set first_name = 'Three' where id = ${id}`;
      await sync.drain();
      assert.equal(
        sync.mautic.contactByEmail("del@example.test")?.values.get("firstname"),
        "Three",
      );
    }
  }
});

Deno.test("a lead whose contact was merged is linked to the survivor, and tells of it", async () => {
  await using sync = await startSync();
  const loser = await insertLead(sync.sql, "loser@example.test");
  await insertLead(sync.sql, "winner@example.test");
  await sync.drain();
  const [from, to] = ["loser", "winner"].map((name) =>
    sync.mautic.contactByEmail(`${name}@example.test`)!.id
  );
  await sync.mautic.mergeContacts(from!, to!);
  await sync.sql`update public.leads set first_name = 'Edited' where id = ${loser}`;
  await sync.drain();
  const links = await sync.sql<{ contact_id: number }[]>`
    select contact_id::int from mautic.contact_link where lead_id = ${loser}`;
  assert.deepEqual(links.map((link) => link.contact_id), [to]);
  const activity = await sync.sql<{ type: string; detail: Record<string, unknown> }[]>`
    select type, detail from public.lead_activity where lead_id = ${loser}`;
  assert.deepEqual(activity.map((row) => [row.type, row.detail]), [
    ["contact_merged", { from, contact_id: to }],
  ]);
});
