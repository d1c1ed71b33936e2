/** The database: extensions, migrations, triggers, the outbox, its clock. */
import type { Sql } from "postgres";
import { z } from "zod";
import { fail, type Finding, pass, warn } from "./finding.ts";

/** What is read of the database; judged by the functions below. */
export interface DatabaseFacts {
  /** Installed version by extension; null: on offer only. */
  extensions: Record<string, string | null>;
  /** Versions of applied migrations; null: the table of the CLI is not there. */
  migrations: string[] | null;
  hasSchema: boolean;
  /** Triggers of a table of the application that call into schema `mautic`. */
  triggers: { name: string; enabled: boolean }[];
}

const wanted: [extension: string, atLeast: string | null, what: string][] = [
  ["pg_net", "0.8", "it rings the bell"],
  ["pg_cron", "1.5", "it sweeps every ten seconds; older versions know no seconds"],
  ["supabase_vault", null, "it keeps the bell's address and key"],
];

const rows = {
  extensions: z.array(z.object({ name: z.string(), installed_version: z.string().nullable() })),
  migrations: z.array(z.object({ version: z.string() })),
  triggers: z.array(z.object({ name: z.string(), enabled: z.boolean() })),
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
  const triggers = rows.triggers.parse(
    await sql`
      select t.tgname as name, t.tgenabled <> 'D' as enabled
      from pg_trigger t
      join pg_proc p on p.oid = t.tgfoid
      join pg_namespace f on f.oid = p.pronamespace
      join pg_class c on c.oid = t.tgrelid
      join pg_namespace n on n.oid = c.relnamespace
      where not t.tgisinternal and f.nspname = 'mautic' and n.nspname <> 'mautic'
      order by t.tgname`,
  );
  return {
    extensions: Object.fromEntries(
      extensions.map(({ name, installed_version }) => [name, installed_version]),
    ),
    migrations: migrations && migrations.map(({ version }) => version),
    hasSchema: flags?.has_schema ?? false,
    triggers,
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
  const remedy = "npx supabase db push (or: npx supabase migration up --db-url …)";
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

/** Do changes of leads reach the change log? */
export function judgeTriggers({ triggers }: DatabaseFacts): Finding {
  const check = "database.triggers";
  if (triggers.length === 0) {
    return fail(
      check,
      "no table has triggers of schema mautic: changes of leads go unseen",
      "Apply the migration …_lead_shape.sql to the table of leads (docs/adapt.md).",
    );
  }
  const off = triggers.filter(({ enabled }) => !enabled).map(({ name }) => name);
  return off.length > 0
    ? fail(check, `disabled: ${off.join(", ")}`, "alter table public.leads enable trigger all;")
    : pass(check, `${triggers.length} triggers watch the leads`);
}

const outbox = z.array(
  z.object({ code: z.string().nullable(), dead: z.coerce.number() }),
);
const age = z.array(z.object({ seconds: z.coerce.number().nullable() })).length(1);

/** What waits and what was given up. Errors: what postgres.js raises. */
export async function checkOutbox(sql: Sql): Promise<Finding[]> {
  const dead = outbox.parse(
    await sql`
      select error_code as code, count(*) as dead from mautic.outbox
      where state = 'dead' group by 1 order by 2 desc`,
  );
  // Live changes that nobody took up, and back-offs that ended: a backfill may take its time.
  const [oldest] = age.parse(
    await sql`
      select extract(epoch from mautic.clock() - min(since)) as seconds from (
        select changed_at from mautic.lead_change where priority = 0
        union all
        select not_before from mautic.outbox where state = 'waiting' and not_before <= mautic.clock()
      ) as due (since)`,
  );
  return [
    judgeDead(dead),
    judgeAge(oldest?.seconds ?? null),
  ];
}

/** Dead letters by reason. */
export function judgeDead(dead: { code: string | null; dead: number }[]): Finding {
  const total = dead.reduce((sum, each) => sum + each.dead, 0);
  if (total === 0) return pass("outbox.dead_letters", "none");
  const reasons = dead.map((each) => `${each.code ?? "unknown"} ${each.dead}`).join(", ");
  return warn(
    "outbox.dead_letters",
    `${total} leads were given up: ${reasons}`,
    "docs/operate.md says for each reason what to do; then mautic.replay.",
  );
}

const patienceSeconds = 600;

/** How long the oldest change has waited for a worker; null: none waits. */
export function judgeAge(seconds: number | null): Finding {
  return seconds !== null && seconds > patienceSeconds
    ? fail(
      "outbox.age",
      `a change has been due for ${Math.round(seconds / 60)} minutes: nobody sends`,
      "See what else is wrong here; is sending paused (select * from mautic.status)?",
    )
    : pass(
      "outbox.age",
      seconds === null ? "nothing is due" : `oldest due for ${Math.round(seconds)} s`,
    );
}
