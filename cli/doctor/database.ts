/** The database: extensions, migrations, the attached tables, the outbox. */
import type { Sql } from "postgres";
import { z } from "zod";
import { describeError } from "shared/errors/codes.ts";
import { problemLine, type Shape, tableLine } from "../shape.ts";
import { fail, type Finding, pass, warn } from "./finding.ts";

/** What is read of the database; judged by the functions below. */
export interface DatabaseFacts {
  /** Installed version by extension; null: on offer only. */
  extensions: Record<string, string | null>;
  /** Versions of applied migrations; null: the table of the CLI is not there. */
  migrations: string[] | null;
  hasSchema: boolean;
}

const wanted: [extension: string, atLeast: string | null, what: string][] = [
  ["pg_net", "0.8", "it rings the bell"],
  ["pg_cron", "1.5", "it sweeps every ten seconds; older versions know no seconds"],
  ["supabase_vault", null, "it keeps the bell's address and key"],
];

const rows = {
  extensions: z.array(z.object({ name: z.string(), installed_version: z.string().nullable() })),
  migrations: z.array(z.object({ version: z.string() })),
  flags: z.array(z.object({ has_log: z.boolean(), has_schema: z.boolean() })).length(1),
};

/** Reads the facts. Errors: what postgres.js raises. */
export async function readDatabase(sql: Sql): Promise<DatabaseFacts> {
  const extensions = rows.extensions.parse(
    await sql`
      select name, installed_version from pg_available_extensions
      where name in ${sql(wanted.map(([name]) => name))}`,
  );
  const [flags] = rows.flags.parse(
    await sql`
      select to_regclass('supabase_migrations.schema_migrations') is not null as has_log,
        to_regnamespace('mautic') is not null as has_schema`,
  );
  const migrations = flags?.has_log
    ? rows.migrations.parse(await sql`select version from supabase_migrations.schema_migrations`)
    : null;
  return {
    extensions: Object.fromEntries(
      extensions.map(({ name, installed_version }) => [name, installed_version]),
    ),
    migrations: migrations && migrations.map(({ version }) => version),
    hasSchema: flags?.has_schema ?? false,
  };
}

/** Is `version` at least `least`? Numbers between the dots are compared. */
export function isAtLeast(version: string, least: string): boolean {
  const [given, asked] = [version, least].map((each) =>
    each.split(".").map((part) => parseInt(part))
  );
  for (const [index, number] of (asked ?? []).entries()) {
    const other = given?.[index] ?? 0;
    if (other !== number) return other > number;
  }
  return true;
}

/** One finding for each extension. */
export function judgeExtensions({ extensions }: DatabaseFacts): Finding[] {
  return wanted.map(([name, least, what]) => {
    const check = `database.${name}`;
    const version = extensions[name];
    if (version === undefined) {
      return fail(
        check,
        `${name} is not on offer in this database (${what})`,
        "Use a Postgres that has it: every Supabase project does.",
      );
    }
    if (version === null) {
      return fail(
        check,
        `${name} is not installed (${what})`,
        `create extension ${name}; select mautic.schedule_jobs();`,
      );
    }
    if (least !== null && !isAtLeast(version, least)) {
      return fail(
        check,
        `${name} is ${version}, and ${least} is needed (${what})`,
        `alter extension ${name} update; or upgrade the project's Postgres.`,
      );
    }
    return pass(check, `${name} ${version}`);
  });
}

/** `files`: names of the migration files of this checkout. */
export function judgeMigrations(facts: DatabaseFacts, files: string[]): Finding {
  const check = "database.migrations";
  const remedy =
    "npx supabase db push (with migrations of your own: docs/deploy.md, Database and functions)";
  if (!facts.hasSchema) {
    return fail(check, "schema mautic is not there: no migration was applied", remedy);
  }
  if (facts.migrations === null) {
    return warn(
      check,
      "applied by other means than the Supabase CLI, so nobody can say which",
      "See that every file in supabase/migrations was applied, in order.",
    );
  }
  const applied = new Set(facts.migrations);
  const known = files.map((file) => file.split("_")[0] ?? file);
  const missing = known.filter((version) => !applied.has(version));
  if (missing.length > 0) {
    return fail(check, `${missing.length} not applied: ${missing.join(", ")}`, remedy);
  }
  return pass(check, `all ${known.length} applied`);
}

/** Do the attached tables give what was declared? A finding for each thing that is wrong. */
export function judgeShape({ tables, problems }: Shape): Finding[] {
  const check = "database.shape";
  return problems.length === 0
    ? [pass(check, tables.map(tableLine).join("; "))]
    : problems.map((problem) => fail(check, problemLine(problem), problem.remedy));
}

const state = z.array(z.object({
  dead: z.coerce.number(),
  dead_by_reason: z.record(z.string(), z.number()),
  required_field: z.coerce.number(),
  required_fields: z.string().nullable(),
  oldest_due: z.coerce.number().nullable(),
  paused: z.boolean(),
  pause_reason: z.string().nullable(),
  circuit: z.string(),
  circuit_reason: z.string().nullable(),
})).length(1);
export type SendingState = z.infer<typeof state>[number];

/** What waits, what was given up, and whether anything is sent. Errors: what postgres.js raises. */
export async function checkOutbox(sql: Sql): Promise<Finding[]> {
  const [row] = state.parse(
    await sql`
      select dead, dead_by_reason, required_field, required_fields, extract(epoch from oldest_due_age) as oldest_due,
        paused, pause_reason, circuit, circuit_reason
      from mautic.status`,
  );
  return row
    ? [judgeSending(row), judgeDead(row), judgeWaiting(row), judgeAge(row.oldest_due)]
    : [];
}

/** Is anything sent at all? */
export function judgeSending(
  { paused, pause_reason: why, circuit, circuit_reason: trouble }: SendingState,
): Finding {
  const check = "outbox.sending";
  if (paused) {
    return warn(check, `sending is paused${why ? ` (${why})` : ""}`, "select mautic.resume();");
  }
  return circuit === "open"
    ? fail(
      check,
      `Mautic failed again and again (${trouble ?? "unknown"}): only probes are sent`,
      "It closes by itself once Mautic answers; see what is said of mautic.*.",
    )
    : pass(check, "changes are sent as they come");
}

/** Dead letters by reason. */
export function judgeDead(
  { dead, dead_by_reason: reasons }: Pick<SendingState, "dead" | "dead_by_reason">,
): Finding {
  if (dead === 0) return pass("outbox.dead_letters", "none");
  const list = Object.entries(reasons).map(([code, count]) => `${code} ${count}`).join(", ");
  return warn(
    "outbox.dead_letters",
    `${dead} leads were given up: ${list}`,
    "select * from mautic.dead_letter; names the remedy for each (docs/operate.md).",
  );
}

/** Leads that wait for a field which Mautic requires and nothing fills. */
export function judgeWaiting(
  { required_field: leads, required_fields: said }: Pick<
    SendingState,
    "required_field" | "required_fields"
  >,
): Finding {
  const check = "outbox.required_field";
  return leads === 0
    ? pass(check, "no lead waits for a field")
    : fail(check, `${leads} leads wait: ${said}`, describeError("required_field").remedy);
}

const patienceSeconds = 600;

/** How long the oldest change has waited for a worker; null: none waits. */
export function judgeAge(seconds: number | null): Finding {
  return seconds !== null && seconds > patienceSeconds
    ? fail(
      "outbox.age",
      `a change has been due for ${Math.round(seconds / 60)} minutes: nobody sends`,
      "See what else is wrong here, then the function's log.",
    )
    : pass(
      "outbox.age",
      seconds === null ? "nothing is due" : `oldest due for ${Math.round(seconds)} s`,
    );
}
