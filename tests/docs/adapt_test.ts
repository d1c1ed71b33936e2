import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { blocksOf, readPage, sectionOf, tableOf } from "./page.ts";

const page = await readPage("docs/adapt.md");
const run = new Set<string>();

/** The statements of a section, to the letter. */
function blocks(heading: string): string[] {
  run.add(heading);
  return blocksOf(sectionOf(page, heading), "sql");
}

/** A database as it is without the last migration: no table of leads. */
async function databaseWithoutLeads() {
  const db = await testDatabase();
  await db.sql`select mautic.detach('lead')`;
  await db.sql`drop table public.leads`;
  const { sql } = db;

  async function apply(statements: string[]) {
    for (const statement of statements) await sql.unsafe(statement);
  }
  /** Ids of the leads that changed since the last call. */
  async function changed(): Promise<string[]> {
    const rows = await sql<{ lead_id: string }[]>`
      with gone as (delete from mautic.lead_change returning lead_ids)
      select distinct unnest(lead_ids) as lead_id from gone order by lead_id`;
    return rows.map(({ lead_id }) => lead_id);
  }
  /** A lead as it would be sent: what is said of it, and its fields without those that are null. */
  async function lead(id: string) {
    const [row] = await sql<{
      address: string | null;
      payload: {
        stage: string | null;
        consent: boolean | null;
        score: number | null;
        fields: Record<string, unknown>;
        missing: string[];
        in_scope?: boolean;
      };
    }[]>`select address, payload from mautic.read_leads(array[${id}::text])`;
    if (!row) return null;
    const { payload: { fields, ...said }, address } = row;
    const filled = Object.entries(fields).filter(([alias, value]) =>
      value !== null && alias !== "hki_lead_id"
    );
    return { ...said, address, fields: Object.fromEntries(filled) };
  }
  return { ...db, apply, changed, lead };
}

/** As GoTrue's, and owned by somebody else. */
const authUsers = [
  "create schema auth",
  "create table auth.users (id uuid primary key, email varchar(255), raw_user_meta_data jsonb)",
  "grant usage on schema auth to postgres",
  "grant select, insert, update, trigger on auth.users to postgres",
];

Deno.test("the table of names is the database's own", async () => {
  await using db = await testDatabase();
  const rows = await db.sql<{ role: string; names: string[]; kinds: string[] }[]>`
    select role, names, kinds from mautic.conventions()`;
  const told = tableOf(sectionOf(page, "What it finds by itself")).map((
    [role = "", names = "", kinds = ""],
  ) => ({
    role: role.replaceAll("`", ""),
    names: names.split(", ").map((name) => name.replaceAll("_", "")),
    kinds: kinds.split(", "),
  }));
  assert.deepEqual(told, rows.map(({ role, names, kinds }) => ({ role, names, kinds })));
});

Deno.test("the page explains every role that attach takes", async () => {
  await using db = await testDatabase();
  const [row] = await db.sql<{ names: string[] }[]>`
    select proargnames[:pronargs] as names from pg_proc
    where pronamespace = 'mautic'::regnamespace and proname = 'attach'`;
  const told = tableOf(sectionOf(page, "What the roles mean"))
    .map(([role = ""]) => role.replaceAll("`", ""));
  assert.deepEqual(
    [...told, "table", "source", "rank"].sort(),
    [...row?.names ?? []].sort(),
  );
});

Deno.test("fields are mapped and unmapped", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    "create table public.customer (id int primary key, email text, company text, job_title text, address jsonb)",
    "select mautic.attach('public.customer')",
    ...blocks("Other fields of Mautic"),
    `insert into public.customer values (7, 'ann@example.test', 'C', 'Cook', '{"city": "Bonn"}')`,
  ]);
  assert.deepEqual((await db.lead("7"))?.fields, {
    jobtitle: "Cook",
    city: "Bonn",
    crm_number: "7",
  });
});

Deno.test("a bigint key and jsonb", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("A bigint key, and jsonb"),
    `insert into crm.customer (mail, stage, opted_in, rating, profile)
      values (' Ann@Example.test ', 'qualified', true, 90, '{"first_name": "Ann", "utm": {"source": "google"}}')`,
  ]);
  assert.deepEqual(await db.changed(), ["1"]);
  const lead = await db.lead("1");
  assert.deepEqual([lead?.address, lead?.stage, lead?.consent, lead?.score], [
    "ann@example.test",
    "qualified",
    true,
    90,
  ]);
  assert.deepEqual(lead?.fields, {
    firstname: "Ann",
    hki_status: "qualified",
    hki_score: 90,
    hki_utm_source: "google",
  });
  await db.sql`update crm.customer set updated_at = now()`;
  assert.deepEqual(await db.changed(), []);
  await db.sql`update crm.customer set profile = profile || '{"phone": "1"}'`;
  assert.deepEqual(await db.changed(), ["1"]);
});

Deno.test("an ORM that migrates later", async () => {
  await using db = await databaseWithoutLeads();
  const [attach = "", table = "", cron = ""] = blocks("An ORM that migrates later");
  await db.apply([attach, table]);
  const insert = (id: string) =>
    db.sql`insert into "Customer" ("id", "emailAddress", "firstName", "marketingOptIn", "updatedAt")
      values (${id}, ${`${id}@example.test`}, 'Ann', true, now())`;
  await insert("before");
  assert.deepEqual(await db.changed(), []);
  await db.apply([cron]);
  await insert("after");
  assert.deepEqual(await db.changed(), ["after"]);
  const lead = await db.lead("after");
  assert.deepEqual([lead?.address, lead?.consent, lead?.fields], [
    "after@example.test",
    true,
    { firstname: "Ann" },
  ]);
  const [job] = await db.sql`select command from cron.job where jobname = 'mautic-attach'`;
  assert.match(job?.command, /mautic\.attach_declared\(\)/);

  await db.sql`select mautic.read_unseen()`;
  await db.sql`select mautic.replay_where(never_synced => true, confirm => true)`;
  assert.ok((await db.changed()).includes("before"));

  await db.sql`drop table "Customer"`;
  await db.apply([table, cron]);
  await insert("anew");
  assert.deepEqual(await db.changed(), ["anew"]);
});

Deno.test("profiles with the address in auth.users", async () => {
  await using db = await databaseWithoutLeads();
  for (const statement of authUsers) await db.admin.unsafe(statement);
  await db.admin`grant references on auth.users to postgres`;
  const [profile = "", member = ""] = blocks("Profiles, with the address in auth.users");
  await db.apply([profile, member]);
  const id = crypto.randomUUID();
  await db.sql`insert into auth.users values (${id}, 'ann@example.test')`;
  await db.sql`insert into public.profile values (${id}, 'Ann Lee', true)`;
  assert.deepEqual(await db.changed(), [id, `member:${id}`].sort());
  const lead = await db.lead(id);
  assert.deepEqual([lead?.address, lead?.consent, lead?.fields], [
    "ann@example.test",
    true,
    { lastname: "Ann Lee" },
  ]);
  await db.sql`update auth.users set email = 'ann.lee@example.test'`;
  assert.deepEqual(await db.changed(), [id, `member:${id}`].sort());
  for (const each of [id, `member:${id}`]) {
    assert.equal((await db.lead(each))?.address, "ann.lee@example.test");
  }
});

Deno.test("a person of a company", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("A person of a company"),
    "insert into crm.company values (1, 'Old', null), (2, 'Other', null)",
    `insert into crm.person values (10, 'a@example.test', 1), (20, 'b@example.test', 2)`,
  ]);
  assert.deepEqual(await db.changed(), ["10", "20"]);
  await db.sql`update crm.company set name = 'New' where id = 1`;
  assert.deepEqual(await db.changed(), ["10"]);
  assert.deepEqual((await db.lead("10"))?.fields, { company: "New" });
});

Deno.test("a newsletter beside the leads", async () => {
  await using db = await testDatabase();
  for (const block of blocks("A newsletter beside the leads")) await db.sql.unsafe(block);
  await db
    .sql`insert into public.newsletter_signup (email) values ('ann@example.test'), ('bob@example.test')`;
  await db.sql`update public.newsletter_signup set confirmed_at = now() where email like 'ann%'`;
  await db.sql`update public.newsletter_signup set unsubscribed_at = now() where email like 'bob%'`;
  const rows = await db.sql`
    select lead_id, address, payload ->> 'consent' as consent
    from mautic.read_leads('{newsletter:ann@example.test,newsletter:bob@example.test}') order by 1`;
  assert.deepEqual([...rows], [
    { lead_id: "newsletter:ann@example.test", address: "ann@example.test", consent: "true" },
    { lead_id: "newsletter:bob@example.test", address: "bob@example.test", consent: "false" },
  ]);
});

Deno.test("a partitioned table", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("A partitioned table"),
    `create table public.signup_2027 partition of public.signup for values from ('2027-01-01') to ('2028-01-01')`,
    `insert into public.signup (email, created_at) values ('a@example.test', '2026-05-01'), ('b@example.test', '2027-05-01')`,
  ]);
  const ids = await db.changed();
  assert.equal(ids.length, 2);
  await db.sql`update public.signup set email = 'c@example.test' where email = 'b@example.test'`;
  const [id = ""] = await db.changed();
  assert.equal((await db.lead(id))?.address, "c@example.test");
});

Deno.test("a table of another owner", async () => {
  await using db = await databaseWithoutLeads();
  const [block = ""] = blocks("A table of another owner");
  const [grant = "", attach = ""] = block.split("\n");
  await db.admin`create role prisma`;
  try {
    await db.admin`create schema shop authorization prisma`;
    await db.admin`create table shop.buyer (id int primary key, email text)`;
    await db.admin`alter table shop.buyer owner to prisma`;
    await assert.rejects(db.sql.unsafe(attach), { code: "42501" });
    await db.admin.unsafe(grant);
    await db.sql.unsafe(attach);
    await db.admin`insert into shop.buyer values (1, 'a@example.test')`;
    assert.deepEqual(await db.changed(), ["1"]);
    assert.equal((await db.lead("1"))?.address, "a@example.test");
  } finally {
    await db.admin`drop owned by prisma cascade`;
    await db.admin`drop role prisma`;
  }
});

Deno.test("soft delete", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("Soft delete"),
    "insert into public.request values (1, 'a@example.test', 'open')",
  ]);
  const causes = async () =>
    (await db.sql`select cause from mautic.lead_change order by id`).map(({ cause }) => cause);
  await db.sql`update public.request set state = 'spam'`;
  assert.equal(await db.lead("1"), null);
  await db.sql`update public.request set state = 'open'`;
  assert.equal((await db.lead("1"))?.stage, "open");
  assert.deepEqual(await causes(), ["insert", "delete", "insert"]);
});

Deno.test("test addresses left out", async () => {
  await using sync = await startSync();
  await sync.sql`select mautic.detach('lead')`;
  for (const block of blocks("Test addresses left out")) await sync.sql.unsafe(block);
  await sync.sql`insert into public.visitor values
    (1, 'ann@example.test', false), (2, 'ann@example.com', false), (3, 'staff@example.test', true)`;
  await sync.drain();
  const there = ["ann@example.test", "ann@example.com", "staff@example.test"]
    .filter((address) => sync.mautic.contactByEmail(address));
  assert.deepEqual(there, ["ann@example.test"]);
});

Deno.test("a key of several columns", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("A key of several columns"),
    "insert into public.subscriber values (1, 1, 'a@example.test')",
  ]);
  const [row] = await db.sql<{ lead_id: string }[]>`select lead_id from public.subscriber`;
  assert.deepEqual(await db.changed(), [row?.lead_id]);

  await db
    .sql`create table public.account (id int primary key, public_id uuid not null unique, email text)`;
  const keyOf = async () =>
    (await db.sql`select key_column from mautic.attachment where source = 'account'`)[0]
      ?.key_column;
  await db.sql`select mautic.attach('public.account', source => 'account')`;
  assert.equal(await keyOf(), "id");
  await db.sql`select mautic.attach('public.account', source => 'account', key => 'public_id')`;
  assert.equal(await keyOf(), "public_id");
});

Deno.test("consent as a time, and as yes and no", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("Consent as a time, or as yes and no"),
    "insert into public.form_entry values (1, 'a@example.test', now()), (2, 'b@example.test', null)",
    "insert into public.event_guest values (1, 'c@example.test', 'yes'), (2, 'd@example.test', 'no')",
  ]);
  const said = [];
  for (const id of ["1", "2", "guest:1", "guest:2"]) said.push((await db.lead(id))?.consent);
  assert.deepEqual(said, [true, null, true, false]);
  await assert.rejects(
    db.sql`select mautic.attach('public.form_entry', consent => 'l.consented_at is not null')`,
    /opted out/,
  );
  await db.sql`create table public.reader (id int primary key, email text,
    newsletter text check (newsletter in ('daily', 'weekly')))`;
  await db.sql`select mautic.attach('public.reader', source => 'reader')`;
  const [role] = await db.sql`
    select expression from mautic.role where source = 'reader' and role = 'consent'`;
  assert.equal(role?.expression, null);
});

Deno.test("the status column is written where it is named, and mautic.lead_state has it where not", async () => {
  await using db = await databaseWithoutLeads();
  const write = () => db.sql`select mautic.write_email_status('{1}', '{bounced}', array[now()])`;
  await db.apply([
    ...blocks("What Mautic says of a person"),
    "insert into public.client values (1, 'a@example.test')",
  ]);
  await db.changed();
  await write();
  const [row] = await db.sql`
    select email_status, email_status_changed_at is not null as has_time from public.client`;
  assert.deepEqual(row, { email_status: "bounced", has_time: true });
  assert.deepEqual(await db.changed(), []);

  await db.sql`update public.client set email_status = null`;
  await db.sql`select mautic.attach('public.client')`;
  await write();
  const [unnamed] = await db.sql`select email_status from public.client`;
  assert.equal(unnamed?.email_status, null);
  const [state] = await db.sql`select email_status from mautic.lead_state where lead_id = '1'`;
  assert.equal(state?.email_status, "bounced");
});

Deno.test("what the page calls refused is refused, and nothing is changed", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    `create table public.good (id int primary key, email text, mail text, data json, mails text[],
      consented_at timestamptz, email_status text default 'new')`,
    "create view public.good_view as select * from public.good",
    "create table public.keyless (id int, email text)",
    "create table public.pair (a int, b int, email text, primary key (a, b))",
    "create table public.forced (id int primary key, email text)",
    "alter table public.forced enable row level security, force row level security",
  ]);
  await db.admin`create table public.foreign_owner (id int primary key, email text)`;
  const good = (more: string) => `select mautic.attach('public.good', address => 'email', ${more})`;
  const refused: [statement: string, code: string][] = [
    ["select mautic.attach('public.good_view')", "42809"],
    ["select mautic.attach('public.keyless')", "42P16"],
    ["select mautic.attach('public.pair')", "42P16"],
    ["select mautic.attach('public.good')", "42702"],
    [good("score => 'l.id, l.id'"), "42P16"],
    [good("score => 'max(l.id)'"), "42803"],
    [good("score => 'random()'"), "22023"],
    [good("stage => 'data'"), "42804"],
    [good("stage => 'mails'"), "42804"],
    [good("consent => 'l.consented_at is not null'"), "22023"],
    [good("status => 'email_status'"), "42804"],
    ["select mautic.attach('public.foreign_owner')", "42501"],
    ["select mautic.attach('public.forced')", "42501"],
  ];
  // Whoever may pass by row level security is not kept out by it.
  const [me] = await db.sql`select rolbypassrls from pg_roles where rolname = current_user`;
  for (const [statement, code] of refused) {
    if (statement.includes("forced") && me?.rolbypassrls) continue;
    await assert.rejects(db.sql.unsafe(statement), { code }, statement);
  }
  assert.equal((await db.sql`select from mautic.attachment`).count, 0);
  await db.sql.unsafe(good("consent => ''"));
  for (const alias of ["utm_source", "points", "tags", "owner"]) {
    await assert.rejects(db.sql`select mautic.map_field(${alias}, 'email')`, { code: "22023" });
  }
});

Deno.test("a table that changes later", async () => {
  await using db = await databaseWithoutLeads();
  await db.apply([
    ...blocks("A bigint key, and jsonb"),
    "insert into crm.customer (mail, rating) values ('a@example.test', 1)",
  ]);
  const [block = ""] = blocks("When the table changes later");
  const [change = "", attach = ""] = block.split("\n");
  await db.apply([change]);
  await db.changed();
  await db.sql`update crm.customer set points = 2`;
  assert.deepEqual(await db.changed(), ["1"]);
  assert.deepEqual((await db.lead("1"))?.missing.sort(), ["hki_score", "score"]);
  const problems = await db.sql`select place, problem from mautic.check_shape()`;
  assert.ok(problems.some(({ problem }) => problem.includes("rating")), JSON.stringify(problems));

  await db.apply([attach]);
  const lead = await db.lead("1");
  assert.deepEqual([lead?.missing, lead?.score], [[], 2]);
  assert.equal((await db.sql`select from mautic.check_shape()`).count, 0);
});

Deno.test("a table is taken off", async () => {
  await using db = await testDatabase();
  for (const block of blocks("Taking a table off")) await db.sql.unsafe(block);
  await db.sql`insert into public.leads (email) values ('a@example.test')`;
  assert.equal((await db.sql`select from mautic.lead_change`).count, 0);
  assert.equal(
    (await db.sql`select from pg_trigger where tgrelid = 'public.leads'::regclass`).count,
    0,
  );
});

Deno.test("every example of the page is run", () => {
  const headings = page.split(/^## /m).slice(1).filter((part) => part.includes("```sql"))
    .map((part) => part.split("\n")[0] ?? "");
  assert.deepEqual([...run].sort(), headings.sort());
});
