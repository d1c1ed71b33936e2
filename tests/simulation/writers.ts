import type postgres from "postgres";
import type { SimulatedDatabase } from "./database.ts";
import { poisonousCompany } from "./plan.ts";
import type { Random } from "./random.ts";

/** A row as the application writes it. */
export type Row = Record<string, string | number | boolean | null>;

const stages = ["new", "qualified", "converted", null];
const texts = ["Ada", "Bea", "Cem", "<b>Dr</b> Eve", "Fritz & Söhne", "", null];

/** Addresses that people of this history have; several leads share one, in other spellings. */
export function address(random: Random, people: number): string | null {
  if (random.chance(0.03)) return random.pick(["no address", null, "", "josé@example.test"]);
  const plain = `p${random.between(1, people)}@example.test`;
  return random.pick([plain, plain, plain, plain.toUpperCase(), ` ${plain} `]);
}

/** Any part of a lead's row, or all of it. */
export function values(random: Random, people: number, isWhole: boolean): Row {
  const row: Row = {};
  const maybe = (column: string, make: () => Row[string], probability = 0.3) => {
    if (isWhole || random.chance(probability)) row[column] = make();
  };
  maybe("email", () => address(random, people), 0.08);
  maybe("first_name", () => random.pick(texts));
  maybe("last_name", () => random.pick(texts));
  maybe("phone", () => random.pick([null, "1", "2", "3"]));
  maybe(
    "company",
    () => random.pick([null, "Acme", "Zeta", random.chance(0.1) ? poisonousCompany : "Zeta"]),
    0.1,
  );
  maybe("crm_status", () => random.pick(stages));
  maybe("marketing_opt_in", () => random.pick([true, true, false, null]));
  maybe("ml_score", () => random.pick([0, 5, 70, 71, 90, null]));
  maybe("utm_source", () => random.pick([null, "mail", "web"]), 0.1);
  return row;
}

/** Inserts, updates and deletes through one session; `leads` knows which ids may exist. */
export interface Writer {
  insert(sql: postgres.Sql, count: number): Promise<string[]>;
  update(sql: postgres.Sql, ids: string[]): Promise<void>;
  remove(sql: postgres.Sql, ids: string[]): Promise<void>;
  reinsert(sql: postgres.Sql, id: string): Promise<void>;
  truncate(sql: postgres.Sql): Promise<void>;
  /** Inserts a row of the second table, or changes or deletes one that is there. */
  signup(sql: postgres.Sql): Promise<void>;
}

export function createWriter(
  { random, people, now, note }: {
    random: Random;
    people: number;
    now(): number;
    note(line: string): void;
  },
): Writer {
  const stamp = () => new Date(now()).toISOString();
  return {
    async insert(sql, count) {
      const rows = Array.from({ length: count }, () => ({
        id: random.uuid(),
        ...values(random, people, true),
        updated_at: stamp(),
      }));
      note(`insert ${JSON.stringify(rows)}`);
      await sql`insert into public.leads ${sql(rows)}`;
      return rows.map((row) => row.id);
    },
    async update(sql, ids) {
      const set = values(random, people, false);
      note(`update ${ids.join(",")} ${JSON.stringify(set)}`);
      if (ids.length === 0) return;
      await sql`update public.leads set ${sql({ ...set, updated_at: stamp() })} where id in ${
        sql(ids)
      }`;
    },
    async remove(sql, ids) {
      note(`delete ${ids.join(",")}`);
      if (ids.length > 0) await sql`delete from public.leads where id in ${sql(ids)}`;
    },
    async reinsert(sql, id) {
      const row = { id, ...values(random, people, true), updated_at: stamp() };
      note(`delete and insert ${JSON.stringify(row)}`);
      await sql.begin(async (tx) => {
        await tx`delete from public.leads where id = ${id}`;
        await tx`insert into public.leads ${tx(row)}`;
      });
    },
    async truncate(sql) {
      note("truncate");
      await sql`truncate public.leads`;
    },
    async signup(sql) {
      const row = {
        email: address(random, people),
        company: random.pick([null, "Signed Ltd", "Other Ltd"]),
        phone: random.pick([null, "7", "8"]),
        updated_at: stamp(),
      };
      const known = await sql<{ id: string }[]>`select id from public.signup order by id`;
      if (known.length === 0 || random.chance(0.5)) {
        const id = random.uuid();
        note(`sign up ${id} ${JSON.stringify(row)}`);
        await sql`insert into public.signup ${sql({ id, ...row })}`;
        return;
      }
      const { id } = random.pick(known);
      if (random.chance(0.2)) {
        note(`sign off ${id}`);
        await sql`delete from public.signup where id = ${id}`;
        return;
      }
      const { email: _, ...rest } = row;
      note(`sign up again ${id} ${JSON.stringify(rest)}`);
      await sql`update public.signup set ${sql(rest)} where id = ${id}`;
    },
  };
}

/** The leads that are there, in an order that does not depend on the machine. */
export async function leadIds(database: SimulatedDatabase): Promise<string[]> {
  const rows = await database.step((sql) =>
    sql<{ id: string }[]>`
    select id from public.leads order by id`
  );
  return rows.map((row) => row.id);
}
