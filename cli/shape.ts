/** The attached tables: does all that was declared of them still exist and read? */
import type { Sql } from "postgres";
import { z } from "zod";

const tableSchema = z.object({
  source: z.string(),
  /** Schema and name. */
  table: z.string(),
  /** False while the table is declared only. */
  attached: z.boolean(),
  /** How many of its roles and contact fields have a value. */
  roles: z.number(),
  fields: z.number(),
});
const problemSchema = z.object({
  source: z.string().nullable(),
  /** The table. */
  place: z.string().nullable(),
  /** The column, role, field or trigger that it is about. */
  name: z.string().nullable(),
  problem: z.string(),
  /** A statement. */
  remedy: z.string(),
});

export type AttachedTable = z.infer<typeof tableSchema>;
export type ShapeProblem = z.infer<typeof problemSchema>;
export interface Shape {
  tables: AttachedTable[];
  problems: ShapeProblem[];
}

/**
 * Reads what is attached, and what is wrong with it. Changes nothing.
 *
 * @throws {Error} with the remedy, where the database lacks the migrations; else what postgres.js raises
 */
export async function readShape(sql: Sql): Promise<Shape> {
  const [found] = await sql`select to_regprocedure('mautic.check_shape()') is not null as there`;
  if (found?.["there"] !== true) {
    throw new Error(
      "The database has no function mautic.check_shape(). Apply the migrations first: npx supabase db push",
    );
  }
  const tables = z.array(tableSchema).parse(
    await sql`
      select a.source, format('%I.%I', a.schema_name, a.table_name) as table,
        a.relation is not null as attached,
        (select count(*)::int from mautic.role r
          where r.source = a.source and r.role <> 'key' and r.expression is not null) as roles,
        (select count(*)::int from mautic.field_map f
          where f.source = a.source and f.expression is not null) as fields
      from mautic.attachment a
      order by a.rank, a.source`,
  );
  const problems = z.array(problemSchema).parse(
    await sql`select source, place, name, problem, remedy from mautic.check_shape()`,
  );
  return { tables, problems: [...tables.length === 0 ? [nothing] : [], ...problems] };
}

const nothing: ShapeProblem = {
  source: null,
  place: null,
  name: null,
  problem: "no table is attached, so no lead is sent",
  remedy: "select mautic.attach('<schema>.<table>');",
};

/** One line: where it is, and what; nothing is named twice. */
export function problemLine({ place, name, problem }: ShapeProblem): string {
  const isNamed = name === null || name === place || problem.includes(name);
  return [place, isNamed ? null : name, problem].filter((part) => part !== null).join(": ");
}

/** One line: what is attached. */
export function tableLine({ table, source, attached, roles, fields }: AttachedTable): string {
  const state = attached
    ? `attached, ${roles} ${roles === 1 ? "role" : "roles"}, ${fields} ${
      fields === 1 ? "field" : "fields"
    }`
    : "declared, and not there yet";
  return `${table} (${source}): ${state}`;
}
