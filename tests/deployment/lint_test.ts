import assert from "node:assert/strict";
import { z } from "zod";
import { migrate } from "../../local/supabase/migrate.ts";
import { findPlpgsqlCheck, lendPlpgsqlCheck } from "../../dev/plpgsql_check.ts";
import { startPostgres } from "../../local/postgres/postgres.ts";
import { runSupabase } from "../../local/supabase/supabase_cli.ts";
import { connect } from "../../cli/connect.ts";
import { prepareDatabase } from "../../local/supabase/database.ts";
import { createTestDatabase } from "../../dev/test_database.ts";

/**
 * SQL functions without rights of their own that name everything but built-ins with its schema: a
 * search path of their own would keep the planner from inlining them.
 */
const inlined = [
  "mautic.address_of",
  "mautic.as_boolean",
  "mautic.as_text",
  "mautic.claim_lock",
  "mautic.clock",
  "mautic.correlation_id",
  "mautic.doorbell_lock",
  "mautic.email_status_at",
  "mautic.email_status_of",
  "mautic.given_correlation_id",
  "mautic.hold_doorbell",
  "mautic.normalize_address",
  "mautic.restrictiveness",
  "mautic.ring_doorbell",
  "mautic.shape_lock",
  "mautic.try_doorbell",
];

const advice = z.object({
  results: z.array(z.object({
    name: z.string(),
    detail: z.string(),
    metadata: z.looseObject({ schema: z.string().optional(), name: z.string().optional() }),
  })),
});
const lint = z.object({
  results: z.array(
    z.object({ function: z.string(), issues: z.array(z.object({ message: z.string() })) }),
  ),
});

Deno.test("`supabase db advisors` has nothing to say but of functions kept inlinable", async () => {
  await using database = await createTestDatabase();
  const { stdout } = await runSupabase([
    ...["db", "advisors", "--level", "warn", "--output-format", "json"],
    `--remote=${database.url}`,
  ]);
  const { results } = advice.parse(JSON.parse(stdout));
  const found = results.map(({ name, detail, metadata }) =>
    name === "function_search_path_mutable" ? `${metadata.schema}.${metadata.name}` : detail
  );
  assert.deepEqual(found.sort(), inlined);

  const [privileged] = await database.sql<{ count: number }[]>`
    select count(*)::int from pg_proc p join pg_language l on l.oid = p.prolang
    where p.pronamespace::regnamespace || '.' || p.proname = any (${inlined})
      -- One is called by every write of a lead, by functions whose search path is empty.
      and (p.prosecdef or l.lanname <> 'sql' and p.proname <> 'ring_doorbell')`;
  assert.equal(privileged?.count, 0, "only SQL functions without rights of their own are inlined");
});

const files = await findPlpgsqlCheck(Deno.env.get("PLPGSQL_CHECK_ROOT") ?? "/");

Deno.test({
  name: "`supabase db lint` finds nothing (only where plpgsql_check is installed, as by Debian's " +
    "postgresql-15-plpgsql-check, or unpacked in the folder PLPGSQL_CHECK_ROOT)",
  ignore: files === undefined,
  fn: async () => {
    assert.ok(files);
    await using cleanup = new AsyncDisposableStack();
    const server = await startPostgres({ major: files.major });
    cleanup.defer(server.stop);
    await prepareDatabase(server, true);
    await migrate({ databaseUrl: server.url() });
    const admin = connect(server.url("postgres", "supabase_admin"));
    cleanup.defer(() => admin.end());
    await lendPlpgsqlCheck(admin, files);

    assert.deepEqual(await findings(server.url()), []);

    await admin.unsafe(`create function mautic.planted() returns void language plpgsql
      as 'begin perform no_such_column from mautic.outbox; end'`);
    assert.deepEqual(await findings(server.url()), ["mautic.planted"]);
  },
});

/** Names of the functions the linter objects to, but for parameters that are given by their position. */
async function findings(databaseUrl: string): Promise<string[]> {
  const { stdout, stderr } = await runSupabase([
    ...["db", "lint", "--level", "warning", "--output-format", "json"],
    ...["--schema", "public", "--schema", "mautic", `--remote=${databaseUrl}`],
  ]);
  const parsed = lint.safeParse(JSON.parse(stdout));
  if (!parsed.success) throw new Error(`supabase db lint: ${stdout}\n${stderr}`);
  return parsed.data.results
    .filter(({ issues }) => issues.some(({ message }) => !message.includes("reserved keyword")))
    .map((result) => result.function);
}
