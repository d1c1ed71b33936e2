import assert from "node:assert/strict";
import { parse, parsePlPgSQL } from "libpg-query";
import { testDatabase } from "../support/database.ts";

/**
 * Supabase loads pg-safeupdate for the role that the Data API logs in with. It refuses every UPDATE
 * and DELETE without a WHERE (21000), those within functions too, whatever their rights. No package
 * brings the module itself, so statements are read with Postgres' own parser.
 */
async function unqualified(statement: string): Promise<string[]> {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, node] of Object.entries(value)) {
      if (/^(Update|Delete)Stmt$/.test(name) && !("whereClause" in node)) found.push(statement);
      visit(node);
    }
  };
  visit(await parse(statement));
  return found;
}

/** The statements of a plpgsql function; expressions alone (parseMode 2, 3) change nothing. */
async function statementsOf(definition: string): Promise<string[]> {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    if ("query" in value && typeof value.query === "string") {
      if (!("parseMode" in value) || value.parseMode === 0) found.push(value.query);
    }
    Object.values(value).forEach(visit);
  };
  visit(await parsePlPgSQL(definition));
  return found;
}

async function faultsOf(language: string, definition: string, source: string): Promise<string[]> {
  const statements = language === "plpgsql" ? await statementsOf(definition) : [source];
  return (await Promise.all(statements.map(unqualified))).flat();
}

Deno.test("every UPDATE and DELETE in a function has a WHERE, as the platform's Data API demands", async () => {
  await using db = await testDatabase();
  const functions = await db.sql<
    { name: string; language: string; definition: string; source: string }[]
  >`
    select p.oid::regprocedure::text as name, l.lanname as language,
      pg_get_functiondef(p.oid) as definition, p.prosrc as source
    from pg_proc p join pg_language l on l.oid = p.prolang
    where p.pronamespace = 'mautic'::regnamespace`;
  assert.ok(functions.length > 50);
  const faults = await Promise.all(
    functions.map(async ({ name, language, definition, source }) =>
      (await faultsOf(language, definition, source)).map((statement) => `${name}: ${statement}`)
    ),
  );
  assert.deepEqual(faults.flat(), []);
});

for (
  const [what, body] of Object.entries({
    "an UPDATE": "update t set a = (select 1 where true);",
    "a DELETE in a CTE":
      "with gone as (delete from t returning a) insert into u select a from gone;",
    "a loop over an UPDATE": "for r in update t set a = 1 returning a loop null; end loop;",
  })
) {
  Deno.test(`${what} without a WHERE is found`, async () => {
    const definition = `create function f() returns void language plpgsql as $$
      declare r record; begin ${body} end $$`;
    assert.equal((await faultsOf("plpgsql", definition, "")).length, 1);
  });
}
