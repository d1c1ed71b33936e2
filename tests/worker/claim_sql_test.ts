import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import {
  claim,
  type Claimed,
  done,
  insertLead,
  origin,
  outbox,
  settle,
  startWorker,
} from "../support/leads.ts";

Deno.test("claim() hands out each changed lead once, oldest change first", async () => {
  await using db = await testDatabase();
  const first = await insertLead(db.sql, "first@example.test");
  const second = await insertLead(db.sql, "second@example.test");
  const worker = await startWorker(db.sql);
  const taken = await claim(db.sql, worker);
  assert.deepEqual(taken.items.map((item) => item.lead_id), [first, second]);
  assert.deepEqual(taken.items.map((item) => item.operation), ["create", "create"]);
  assert.equal(taken.more, false);
  assert.deepEqual((await claim(db.sql, worker)).items, []);
});

Deno.test("claim() says that more is due behind a full batch", async () => {
  await using db = await testDatabase();
  await db
    .sql`insert into public.leads (email) select 'l' || i || '@example.test' from generate_series(1, 7) i`;
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker, { limit: 5 });
  assert.equal(first.items.length, 5);
  assert.equal(first.more, true);
  const rest = await claim(db.sql, worker, { limit: 5 });
  assert.equal(rest.items.length, 2);
  assert.equal(rest.more, false);
});

Deno.test("claim() refuses a worker whose lease ran out", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "late@example.test");
  const worker = await startWorker(db.sql, 0);
  assert.equal((await claim(db.sql, worker)).state, "lost");
});

Deno.test("no person is out twice: claim() keeps two leads of one person apart, and loses neither", async () => {
  await using db = await testDatabase();
  const older = await insertLead(db.sql, " Ann@Example.test ");
  const newer = await insertLead(db.sql, "ann@example.test");
  const other = await insertLead(db.sql, "bob@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  assert.deepEqual(first.items.map((item) => item.lead_id), [older, other]);
  assert.deepEqual((await claim(db.sql, await startWorker(db.sql))).items, []);

  await settle(db.sql, first.lease_token, [{
    ...done(older, 7, "Ann@Example.test"),
    snapshot: { email: "Ann@Example.test" },
    shows_lead: true,
    changed_at: "2026-01-01T00:00:00Z",
  }]);
  const second = await claim(db.sql, worker);
  assert.deepEqual(
    second.items.map((item) => [item.lead_id, item.operation, item.contact_id]),
    [
      // By its address only, which the contact may have had once: it is looked up first.
      [newer, "look_up", 7],
    ],
  );
});

Deno.test("claim() keeps apart a lead's new address and the person who has it", async () => {
  await using db = await testDatabase();
  const ann = await insertLead(db.sql, "ann@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(ann, 1, "ann@example.test")]);

  // Ann leaves her old address, somebody else takes it: her last-sent address is still hers.
  await db.sql`update public.leads set email = 'new@example.test' where id = ${ann}`;
  const heir = await insertLead(db.sql, "ann@example.test");
  const second = await claim(db.sql, worker);
  assert.deepEqual(second.items.map((item) => item.lead_id), [ann]);
  await settle(db.sql, second.lease_token, [done(ann, 1, "new@example.test")]);
  const third = await claim(db.sql, worker);
  assert.deepEqual(third.items.map((item) => [item.lead_id, item.operation]), [[heir, "create"]]);
});

Deno.test("claim() reaches the leads behind a long run of one person's", async () => {
  await using db = await testDatabase();
  await db
    .sql`insert into public.leads (email) select 'same@example.test' from generate_series(1, 500)`;
  const behind = await insertLead(db.sql, "behind@example.test");
  const taken = await claim(db.sql, await startWorker(db.sql), { limit: 10 });
  assert.equal(taken.items.length, 2);
  assert.ok(taken.items.some((item) => item.lead_id === behind));
});

Deno.test("two claims at the same moment share out leads and persons", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into public.leads (email)
    select 'p' || (i % 40) || '@example.test' from generate_series(1, 200) i`;
  const workers = await Promise.all(Array.from({ length: 4 }, () => startWorker(db.sql)));
  const claims = await Promise.all(workers.map((worker) => claim(db.sql, worker, { limit: 15 })));
  const addresses = claims.flatMap((each) => each.items.map((item) => item.address));
  assert.equal(new Set(addresses).size, addresses.length);
  assert.equal(addresses.length, 40);
});

Deno.test("a lead edited while it is out is sent once more, in its newest state", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "edit@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await db.sql`update public.leads set first_name = 'New' where id = ${id}`;
  await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(id, 3, "edit@example.test")]);
  const second = await claim(db.sql, worker);
  assert.deepEqual(second.items.map((item) => [item.lead_id, item.operation]), [[id, "edit"]]);
  await settle(db.sql, second.lease_token, [done(id, 3, "edit@example.test")]);
  assert.deepEqual(await outbox(db.sql), []);
});

Deno.test("ten edits are one item", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "ten@example.test");
  for (let edit = 0; edit < 10; edit++) {
    await db.sql`update public.leads set first_name = ${"Name " + edit} where id = ${id}`;
  }
  const taken = await claim(db.sql, await startWorker(db.sql));
  assert.equal(taken.items.length, 1);
});

Deno.test("a lease that ran out comes back as ambiguous, to be looked up first", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "crash@example.test");
  const worker = await startWorker(db.sql);
  const dead = await claim(db.sql, worker, { leaseMs: 0 });
  const again = await claim(db.sql, worker);
  assert.deepEqual(again.items.map((item) => [item.lead_id, item.operation, item.attempt]), [[
    id,
    "look_up",
    2,
  ]]);
  const late = await settle(db.sql, dead.lease_token, [done(id, 9, "crash@example.test")]);
  assert.deepEqual(late, { settled: 0, lost: [id] });
  const [link] = await db
    .sql`select contact_id::int from mautic.contact_link where lead_id = ${id}`;
  assert.equal(link?.["contact_id"], 9, "what Mautic told the late worker is kept");
});

Deno.test("a lead that moved after its worker was killed is looked up by the address that one used, too", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "killed@example.test");
  const worker = await startWorker(db.sql);
  await claim(db.sql, worker, { leaseMs: 0 });
  await db.sql`update public.leads set email = 'moved@example.test' where id = ${id}`;
  const again = await claim(db.sql, worker, { leaseMs: 0 });
  const seen = ({ items }: typeof again) =>
    items.map((item) => [item.operation, item.attempted.map(({ address }) => address)]);
  assert.deepEqual(seen(again), [["look_up", ["killed@example.test"]]]);

  // Killed once more, maybe before it looked.
  assert.deepEqual(seen(await claim(db.sql, worker, { leaseMs: 0 })), seen(again));

  // Or after it had found the contact and moved it along.
  await db.sql`update public.leads set email = 'far@example.test' where id = ${id}`;
  const third = await claim(db.sql, worker);
  assert.deepEqual(seen(third), [
    ["look_up", ["killed@example.test", "moved@example.test"]],
  ]);
});

Deno.test("an ambiguous outcome holds the person until its grace is over, whatever is edited or added", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "grace@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [
    {
      lead_id: id,
      result: "ambiguous",
      delay_ms: 3_600_000,
    },
  ]);
  await db.sql`update public.leads set email = 'moved@example.test' where id = ${id}`;
  const twin = await insertLead(db.sql, "grace@example.test");
  assert.deepEqual((await claim(db.sql, worker)).items, []);

  await db.sql`update mautic.outbox set not_before = mautic.clock() where lead_id = ${id}`;
  const after = await claim(db.sql, worker);
  assert.deepEqual(
    after.items.map((item) => [
      item.lead_id,
      item.operation,
      item.attempted.map(({ address }) => address),
    ]),
    [[id, "look_up", ["grace@example.test"]]],
  );
  await settle(db.sql, after.lease_token, [done(id, 1, "moved@example.test")]);
  assert.deepEqual((await claim(db.sql, worker)).items.map((item) => item.lead_id), [twin]);
});

Deno.test("retry waits for its time; an edit does not shorten it", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "retry@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [{
    lead_id: id,
    result: "retry",
    delay_ms: 3_600_000,
    error_code: "unavailable",
  }]);
  await db.sql`update public.leads set first_name = 'Soon' where id = ${id}`;
  assert.deepEqual((await claim(db.sql, worker)).items, []);
  await db.sql`update mautic.outbox set not_before = mautic.clock() where lead_id = ${id}`;
  const [item] = (await claim(db.sql, worker)).items;
  assert.equal(item?.operation, "create", "a failure that surely did nothing is simply sent again");
  assert.equal(item?.attempt, 2);
});

Deno.test("a dead letter stays until the lead is edited", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "not an address");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [
    {
      lead_id: id,
      result: "dead",
      error_code: "invalid_email",
      error_message: "contact.email: no @",
    },
  ]);
  assert.deepEqual((await claim(db.sql, worker)).items, []);
  assert.deepEqual((await outbox(db.sql)).map((row) => [row.state, row.error_code]), [[
    "dead",
    "invalid_email",
  ]]);
  await db.sql`update public.leads set email = 'an@example.test' where id = ${id}`;
  const again = await claim(db.sql, worker);
  assert.deepEqual(again.items.map((item) => [item.lead_id, item.attempt]), [[id, 1]]);
});

Deno.test("a lead corrected while its refusal was on the way is sent again, not dead", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "wrong");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await db.sql`update public.leads set email = 'right@example.test' where id = ${id}`;
  await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [{
    lead_id: id,
    result: "dead",
    error_code: "invalid_email",
  }]);
  assert.deepEqual((await claim(db.sql, worker)).items.map((item) => item.address), [
    "right@example.test",
  ]);
});

Deno.test("a deleted lead is dropped from the outbox and keeps its link", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "gone@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(id, 5, "gone@example.test")]);
  await db.sql`delete from public.leads where id = ${id}`;
  assert.deepEqual((await claim(db.sql, worker)).items, []);
  assert.deepEqual(await outbox(db.sql), []);
  assert.equal((await db.sql`select from mautic.contact_link where lead_id = ${id}`).count, 1);

  await db.sql`insert into public.leads (id, email) values (${id}, 'gone@example.test')`;
  const again = await claim(db.sql, worker);
  assert.deepEqual(again.items.map((item) => [item.operation, item.contact_id]), [["edit", 5]]);
});

Deno.test("a settle records the contact even when the lead was deleted meanwhile", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "short@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await db.sql`truncate public.leads`;
  await settle(db.sql, first.lease_token, [done(id, 11, "short@example.test")]);
  assert.equal(
    (await db.sql`select from mautic.contact_link where lead_id = ${id} and contact_id = 11`).count,
    1,
  );
  assert.deepEqual((await claim(db.sql, worker)).items, []);
  assert.deepEqual(await outbox(db.sql), []);
});

Deno.test("of several leads on one contact the newest change wins", async () => {
  await using db = await testDatabase();
  const older = await insertLead(db.sql, "both@example.test", { first_name: "Old" });
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  // The older lead fails and waits; the newer one gets through first.
  await settle(db.sql, first.lease_token, [{
    lead_id: older,
    result: "retry",
    delay_ms: 3_600_000,
  }]);
  const newer = await insertLead(db.sql, "both@example.test", { first_name: "New" });
  const second = await claim(db.sql, worker);
  const [{ changed_at } = { changed_at: "" }] = await db.sql<{ changed_at: string }[]>`
    select changed_at::text from mautic.outbox where lead_id = ${newer}`;
  await settle(db.sql, second.lease_token, [
    {
      ...done(newer, 4, "both@example.test"),
      shows_lead: true,
      changed_at,
    },
  ]);
  await db.sql`update mautic.outbox set not_before = mautic.clock() where lead_id = ${older}`;
  const third = await claim(db.sql, worker);
  assert.deepEqual(third.items.map((item) => [item.lead_id, item.superseded]), [[older, true]]);
});

Deno.test("a lost attempt on a shared contact queues the lead that the contact showed", async () => {
  await using db = await testDatabase();
  const worker = await startWorker(db.sql);
  const shown = await insertLead(db.sql, "two@example.test");
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [{
    ...done(shown, 1, "two@example.test"),
    snapshot: { email: "two@example.test" },
    shows_lead: true,
    changed_at: "2026-01-01T00:00:00Z",
  }]);
  const other = await insertLead(db.sql, "two@example.test");
  await claim(db.sql, worker, { leaseMs: 0 });
  await db.sql`update public.leads set email = 'away@example.test' where id = ${other}`;
  const after = await claim(db.sql, worker);
  const later = await claim(db.sql, worker);
  const taken = [...after.items, ...later.items].map((item) => item.lead_id);
  assert.ok(taken.includes(other));
  await settle(
    db.sql,
    after.lease_token,
    after.items.map((item) => done(item.lead_id, item.lead_id === other ? 2 : 1, item.address)),
  );
  const rest = await claim(db.sql, worker);
  assert.ok([...taken, ...rest.items.map((item) => item.lead_id)].includes(shown));
});

Deno.test("what is known of one Mautic is not used with another", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "move@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(id, 8, "move@example.test")]);
  await db.sql`update public.leads set first_name = 'M' where id = ${id}`;
  const elsewhere = await claim(db.sql, worker, { at: "https://other.example.test" });
  assert.deepEqual(elsewhere.items.map((item) => [item.operation, item.contact_id]), [[
    "create",
    null,
  ]]);
});

Deno.test("a contact deleted in Mautic is forgotten and created again", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "deleted@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(id, 21, "deleted@example.test")]);
  await db.sql`update public.leads set first_name = 'D' where id = ${id}`;
  const second = await claim(db.sql, worker);
  await settle(db.sql, second.lease_token, [{ lead_id: id, result: "gone", asked_contact_id: 21 }]);
  const third = await claim(db.sql, worker);
  assert.deepEqual(third.items.map((item) => [item.lead_id, item.operation]), [[id, "create"]]);
});

Deno.test("a merge in Mautic moves every lead, and the enrolment, to the surviving contact", async () => {
  await using db = await testDatabase();
  const one = await insertLead(db.sql, "one@example.test");
  const worker = await startWorker(db.sql);
  const first = await claim(db.sql, worker);
  await settle(db.sql, first.lease_token, [done(one, 1, "one@example.test")]);
  await db.sql`select mautic.intend_enrollment(${origin}, 5, 1, ${one}, 'c', 1000)`;
  await db.sql`select mautic.confirm_enrollment(${origin}, 5, 1)`;
  await db.sql`update public.leads set first_name = 'One' where id = ${one}`;
  const second = await claim(db.sql, worker);
  await settle(db.sql, second.lease_token, [
    {
      lead_id: one,
      result: "done",
      contact_id: 2,
      asked_contact_id: 1,
      address: "one@example.test",
    },
  ]);
  const links = await db.sql`select lead_id, contact_id::int from mautic.contact_link`;
  assert.deepEqual([...links], [{ lead_id: one, contact_id: 2 }]);
  const enrollments = await db.sql`select contact_id::int, state from mautic.enrollment`;
  assert.deepEqual([...enrollments], [{ contact_id: 2, state: "confirmed" }]);
});

Deno.test("upsert_contact waits for a person who is out, and leaves a queued change queued", async () => {
  await using db = await testDatabase();
  await db.sql`
    insert into mautic.deployment (project, origin, live_at) values ('', ${origin}, now())`;
  const id = await insertLead(db.sql, "direct@example.test");
  const direct = async (lead: string, address: string) => {
    const [row] = await db.sql<{ claim: { state: string; lease_token: string } }[]>`
      select mautic.claim_lead(${crypto.randomUUID()}, ${origin}, ${lead}, ${address}, '{}', 'c', 60000) as claim`;
    return row!.claim;
  };
  const taken = await direct(id, "direct@example.test");
  assert.equal(taken.state, "claimed");
  assert.equal((await direct("not-a-uuid", "direct@example.test")).state, "busy");
  await settle(db.sql, taken.lease_token, [done(id, 6, "direct@example.test")]);
  assert.deepEqual((await outbox(db.sql)).map((row) => row.state), ["pending"]);

  const stranger = await direct("not-a-uuid", "stranger@example.test");
  await settle(db.sql, stranger.lease_token, [
    done("not-a-uuid", 60, "stranger@example.test"),
  ]);
  assert.deepEqual((await outbox(db.sql)).map((row) => row.lead_id), [id]);
});

Deno.test("an older lead that turns out to be a newer one's contact is not its last word, whoever the contact showed", async () => {
  await using db = await testDatabase();
  const { sql } = db;
  const worker = await startWorker(sql);
  const shown = (lead_id: string, changed_at: string) => ({
    lead_id,
    result: "done",
    contact_id: 5,
    address: "one@example.test",
    do_not_contact: [],
    snapshot: {},
    shows_lead: true,
    changed_at,
  });
  const older = await insertLead(sql, "one@example.test");
  const first = await claim(sql, worker);
  const newer = await insertLead(sql, "two@example.test");
  const second = await claim(sql, worker);
  await settle(sql, second.lease_token, [shown(newer, "2026-01-02T00:00:00Z")]);
  // A caller's lead, which the table does not hold.
  const [call] = await sql<{ claim: Claimed }[]>`
    select mautic.claim_lead(${worker}, ${origin}, 'call', 'two@example.test', '{}', 'c', 60000) as claim`;
  await settle(sql, call!.claim.lease_token, [shown("call", "2026-01-03T00:00:00Z")]);
  // Looked up in Mautic, the older lead is found to be the same contact.
  await settle(sql, first.lease_token, [shown(older, "2026-01-01T00:00:00Z")]);
  const queued = await sql`select lead_id, force from mautic.logged_lead`;
  assert.deepEqual([...queued], [{ lead_id: newer, force: true }]);
});

Deno.test("a batch that asked nothing of Mautic ends its own probe, and nobody else's", async () => {
  await using db = await testDatabase();
  await insertLead(db.sql, "a@example.test");
  const worker = await startWorker(db.sql);
  const { lease_token, items } = await claim(db.sql, worker);
  const prober = crypto.randomUUID();
  const probing = (who: string) =>
    db.sql`update mautic.sending set opened_at = now(), probe_at = now(), prober = ${who},
      prober_until = now() + interval '15 seconds'`;
  const who = async () => (await db.sql`select prober from mautic.sending`)[0]?.["prober"];
  await probing(prober);
  await settle(db.sql, lease_token, [{
    lead_id: items[0]!.lead_id,
    result: "postponed",
    delay_ms: 0,
  }]);
  assert.equal(await who(), prober);

  await probing(worker);
  const again = await claim(db.sql, worker);
  await settle(db.sql, again.lease_token, [{
    lead_id: items[0]!.lead_id,
    result: "postponed",
    delay_ms: 0,
  }]);
  assert.equal(await who(), null);
});
