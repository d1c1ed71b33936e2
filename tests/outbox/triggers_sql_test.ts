import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

async function changes(sql: import("postgres").Sql): Promise<[string, string][]> {
  const rows = await sql<{ lead_id: string; cause: string }[]>`
    with gone as (delete from mautic.lead_change returning lead_ids, cause)
    select unnest(lead_ids) as lead_id, cause from gone`;
  return rows.map((row) => [row.lead_id, row.cause]);
}

Deno.test("only a change of a payload column makes a lead dirty", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "cols@example.test", { first_name: "A", ml_score: 10 });
  await changes(db.sql);
  const quiet = [
    "updated_at = now()",
    "first_name = 'A'",
    "email_status = 'bounced'",
    "email_status_changed_at = now()",
  ];
  for (const assignment of quiet) {
    await db.sql.unsafe(`update public.leads set ${assignment}`);
    assert.deepEqual(await changes(db.sql), [], assignment);
  }
  const loud = [
    "email = 'c@example.test'",
    "first_name = 'B'",
    "last_name = 'B'",
    "phone = '1'",
    "company = 'C'",
    "crm_status = 'qualified'",
    "marketing_opt_in = true",
    "ml_score = 10.5",
    "utm_source = 's'",
    "utm_medium = 'm'",
    "utm_campaign = 'c'",
    "utm_term = 't'",
    "utm_content = 'c'",
    "first_name = null",
  ];
  for (const assignment of loud) {
    await db.sql.unsafe(`update public.leads set ${assignment}`);
    assert.deepEqual(await changes(db.sql), [[id, "update"]], assignment);
  }
});

Deno.test("becoming mailable again makes a lead dirty; becoming unmailable does not", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "mail@example.test");
  await changes(db.sql);
  await db.sql`update public.leads set email_status = 'unsubscribed'`;
  await db.sql`update public.leads set email_status = 'bounced'`;
  assert.deepEqual(await changes(db.sql), []);
  await db.sql`update public.leads set email_status = 'subscribed'`;
  assert.deepEqual(await changes(db.sql), [[id, "mailable"]]);
  await db.sql`update public.leads set email_status = 'bounced'`;
  await db.sql`update public.leads set email_status = null, first_name = 'New'`;
  assert.deepEqual(await changes(db.sql), [[id, "update"]]);
  await db.sql`update public.leads set email_status = null`;
  assert.deepEqual(await changes(db.sql), []);
});

Deno.test("a change of key is a new lead and the end of an old one", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, "key@example.test");
  await changes(db.sql);
  const next = crypto.randomUUID();
  await db.sql`update public.leads set id = ${next}`;
  assert.deepEqual((await changes(db.sql)).sort(), [[id, "delete"], [next, "insert"]].sort());
});

Deno.test("upsert, delete and a bulk update are each noted for every row they touch", async () => {
  await using db = await testDatabase();
  await db
    .sql`insert into public.leads (email) select 'b' || i || '@example.test' from generate_series(1, 1000) i`;
  assert.equal((await changes(db.sql)).length, 1000);
  await db.sql`
    insert into public.leads (id, email) select id, email from public.leads
    on conflict (id) do update set first_name = 'up'`;
  assert.equal((await changes(db.sql)).length, 1000);
  await db.sql`delete from public.leads`;
  assert.equal((await changes(db.sql)).length, 1000);
});

Deno.test("a bulk update after single ones in the same session stays fast: no row-by-row join", async () => {
  await using db = await testDatabase();
  await db
    .sql`insert into public.leads (email) select 'f' || i || '@example.test' from generate_series(1, 20000) i`;
  const session = await db.sql.reserve();
  try {
    for (let edit = 0; edit < 10; edit++) {
      await session`update public.leads set first_name = ${
        String(edit)
      } where email = 'f1@example.test'`;
    }
    // Row by row this would be 4 * 10^8 comparisons, a minute and more.
    await session`set statement_timeout = '20s'`;
    await session`update public.leads set first_name = 'bulk'`;
  } finally {
    session.release();
  }
});

Deno.test("a write bears the application's correlation id, if it gave a sound one, else its transaction's", async () => {
  await using db = await testDatabase();
  const written = (settings: Record<string, string>) =>
    db.sql.begin(async (sql) => {
      for (const [name, value] of Object.entries(settings)) {
        await sql`select set_config(${name}, ${value}, true)`;
      }
      const lead = await insertLead(sql, "trace@example.test");
      await sql`update public.leads set first_name = 'T' where id = ${lead}`;
      const [row] = await sql<{ ids: string[]; own: string }[]>`
        select array_agg(distinct correlation_id) as ids, 'tx-' || pg_current_xact_id() as own
        from mautic.logged_lead where lead_id = ${lead}`;
      return row;
    });
  const headers = (text: string) => ({ "request.headers": text });
  const given: [settings: Record<string, string>, id: string][] = [
    [{ "mautic.correlation_id": "order-1" }, "order-1"],
    [headers(`{"x-correlation-id":"request-1"}`), "request-1"],
    [{ "mautic.correlation_id": "order-2", ...headers(`{"x-correlation-id":"no"}`) }, "order-2"],
  ];
  for (const [settings, id] of given) assert.deepEqual((await written(settings))?.ids, [id]);

  const unsound = [
    {},
    { "mautic.correlation_id": "two words" },
    headers(`{"x-correlation-id":"a\\nb"}`),
    headers(`{"host":"a"}`),
    headers("{"),
    headers("[]"),
  ];
  for (const settings of unsound) {
    const row = await written(settings);
    assert.deepEqual(row?.ids, [row?.own], JSON.stringify(settings));
  }
});

Deno.test("an application without rights on schema mautic writes leads as ever", async () => {
  await using db = await testDatabase();
  await db.sql`grant insert on public.leads to authenticated`;
  await db.sql`create policy app on public.leads for insert to authenticated with check (true)`;
  await db.sql.begin(async (sql) => {
    await sql`set local role authenticated`;
    await sql`insert into public.leads (email) values ('app@example.test')`;
  });
  assert.equal((await changes(db.sql)).length, 1);
});

Deno.test("a lead is read as its roles and fields, by the standard mapping", async () => {
  await using db = await testDatabase();
  const id = await insertLead(db.sql, " Mixed@Example.test ", {
    first_name: "F",
    last_name: "L",
    phone: "+1",
    company: "C",
    crm_status: "qualified",
    marketing_opt_in: true,
    ml_score: 85.5,
    utm_source: "s",
    utm_medium: "m",
    utm_campaign: "c",
    utm_term: "t",
    utm_content: "k",
  });
  const [lead] = await db.sql`
    select lead_id, address, payload from mautic.read_leads(${[id]})`;
  assert.deepEqual({ ...lead }, {
    lead_id: id,
    address: "mixed@example.test",
    payload: {
      id,
      email: " Mixed@Example.test ",
      stage: "qualified",
      consent: true,
      score: 85.5,
      fields: {
        firstname: "F",
        lastname: "L",
        phone: "+1",
        company: "C",
        hki_lead_id: id,
        hki_status: "qualified",
        hki_score: 85.5,
        hki_utm_source: "s",
        hki_utm_medium: "m",
        hki_utm_campaign: "c",
        hki_utm_term: "t",
        hki_utm_content: "k",
      },
      unreadable: [],
      missing: [],
    },
  });
});
