import assert from "node:assert/strict";
import { testDatabase } from "../support/database.ts";
import { claim, insertLead, startWorker } from "../support/leads.ts";

Deno.test("a key that our indexes cannot hold keeps no other lead from being sent", async () => {
  await using db = await testDatabase();
  await db.sql.unsafe(`
    create schema crm;
    create table crm.page (id text primary key, email text);
    select mautic.attach('crm.page', source => 'page');
    insert into crm.page
    select (select string_agg(md5(i::text), '') from generate_series(1, 84) i), 'page@example.test'`);
  await insertLead(db.sql, "other@example.test");
  const { items } = await claim(db.sql, await startWorker(db.sql));
  assert.deepEqual(items.map(({ address }) => address), ["other@example.test"]);
  const [told] = await db.sql`select source, name, problem from mautic.check_shape()`;
  assert.deepEqual(told, {
    source: "page",
    name: "id",
    problem:
      "1 changes of rows were met whose keys are too long for an index: these rows are not sent",
  });
  // Nor does such a row keep others from being known, or compared.
  await db.sql`select mautic.read_unseen('1 minute')`;
  await db.sql`insert into mautic.table_change (source, cause) values ('page', 'suspect')`;
  await db.sql`select mautic.compare('1 minute')`;
  const [state] = await db.sql`
    select read_problem, unseen::int, read_to_end_at is not null as is_read, compared_at is not null as is_compared
    from mautic.attachment where source = 'page'`;
  assert.deepEqual(state, { read_problem: null, unseen: 0, is_read: true, is_compared: true });
});
