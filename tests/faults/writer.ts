/** The application that owns the leads: inserts and edits them while things go wrong. */
import type { Sql } from "postgres";
import type { Random } from "../simulation/random.ts";

export interface Writer {
  /** Everybody who could be enrolled at some time. */
  everEligible: ReadonlySet<string>;
  /** Everybody who denied consent at some time. */
  everDenied: ReadonlySet<string>;
  /** Leads that are there for all the application was told: their commit was acknowledged. */
  committed: ReadonlySet<string>;
  /** Told so, the writer ends. */
  isOver: boolean;
  /**
   * Inserts some leads, or edits some, in one statement, again and again. A statement that fails is
   * not repeated.
   */
  writeUntilTold(pause: () => Promise<void>): Promise<void>;
}

/** Leads with one address each; edits and changes of address among them. */
export function createWriter(sql: Sql, random: Random, name: string): Writer {
  const everEligible = new Set<string>();
  const everDenied = new Set<string>();
  const committed = new Set<string>();
  const mayMove: string[] = [];
  let count = 0;

  const values = () => ({
    first_name: `First ${random.between(1, 1e6)}`,
    crm_status: random.pick(["qualified", "qualified", "new"]),
    marketing_opt_in: random.pick([true, true, true, false, null]),
    ml_score: random.pick([5, 69.5, 70, 95]),
  });
  const note = (
    email: string,
    { crm_status, marketing_opt_in, ml_score }: ReturnType<typeof values>,
  ) => {
    if (marketing_opt_in === false) everDenied.add(email);
    if (crm_status === "qualified" && marketing_opt_in === true && ml_score >= 70) {
      everEligible.add(email);
    }
  };

  async function insert(): Promise<void> {
    const rows = Array.from({ length: random.between(1, 15) }, () => ({
      email: `${name}${++count}@example.test`,
      last_name: `Last ${count}`,
      phone: `+49 30 ${count}`,
      company: `Company ${count}`,
      utm_source: random.pick(["google", "newsletter"]),
      ...values(),
    }));
    for (const row of rows) note(row.email, row);
    await sql`insert into public.leads ${sql(rows)}`;
    for (const { email } of rows) {
      committed.add(email);
      mayMove.push(email);
    }
  }

  async function edit(): Promise<void> {
    const emails = Array.from({ length: random.between(1, 10) }, () => random.pick([...committed]));
    const wanted = values();
    for (const email of emails) note(email, wanted);
    await sql`update public.leads set ${sql(wanted)} where email = any (${emails})`;
  }

  /** Once a lead, so that nobody has to follow a chain. */
  async function move(): Promise<void> {
    const [email] = mayMove.splice(random.between(0, mayMove.length - 1), 1);
    if (email === undefined) return;
    const moved = `moved-${email}`;
    if (everEligible.has(email)) everEligible.add(moved);
    if (everDenied.has(email)) everDenied.add(moved);
    // Should the answer get lost, nobody knows which of the two it has.
    committed.delete(email);
    await sql`update public.leads set email = ${moved}, phone = '+1 555 0100' where email = ${email}`;
    committed.add(moved);
  }

  const write = () => {
    if (committed.size < 10 || random.chance(0.5)) return insert();
    return random.chance(0.8) ? edit() : move();
  };
  const writer: Writer = {
    everEligible,
    everDenied,
    committed,
    isOver: false,
    async writeUntilTold(pause) {
      while (!writer.isOver) {
        await write().catch(() => {});
        await pause();
      }
    },
  };
  return writer;
}
