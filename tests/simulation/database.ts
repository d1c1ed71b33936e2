import type postgres from "postgres";
import { createApiKeys } from "../../local/api_keys.ts";
import { createDataApi } from "../../local/data_api.ts";
import { createTestDatabase } from "../../local/test_database.ts";
import type { Scheduler } from "./scheduler.ts";

export interface SimulatedDatabase extends AsyncDisposable {
  /** The operator's session; every use is one step. */
  admin: postgres.Sql;
  secretKey: string;
  /** A statement of the simulation itself, at virtual time. */
  step<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T>;
  /** A further session, for a transaction that stays open over several steps. */
  session(): postgres.Sql;
  /** A request of a function to the Data API, done to its end. */
  request(request: Request): Promise<{ status: number; body: string; headers: Headers }>;
}

/**
 * The real migrations on a real Postgres, with `mautic.clock()` on virtual time. The time is kept
 * in a sequence: it is read outside of any snapshot, as a wall clock is, and every reading is a
 * microsecond later than the one before.
 */
export async function createSimulatedDatabase(scheduler: Scheduler): Promise<SimulatedDatabase> {
  const database = await createTestDatabase();
  const admin = database.adminSession();
  await admin.unsafe(`
    create schema simulation;
    grant usage on schema simulation to public;
    create sequence simulation.microseconds;
    grant all on simulation.microseconds to public;
    create or replace function mautic.clock() returns timestamptz language sql volatile as
      $$ select 'epoch'::timestamptz + nextval('simulation.microseconds') * interval '1 microsecond' $$;
    do $do$
    declare
      found record;
    begin
      for found in
        select d.adrelid::regclass as place, a.attname as name
        from pg_attrdef d join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
        where pg_get_expr(d.adbin, d.adrelid) = 'clock_timestamp()'
      loop
        execute format('alter table %s alter column %I set default mautic.clock()', found.place, found.name);
      end loop;
    end $do$;
    create table simulation.change (
      lead_id text, cause text, changed_at timestamptz, place bigint generated always as identity);
    grant all on simulation.change to public;
    create function simulation.note_change() returns trigger language plpgsql security definer as $$
    begin
      insert into simulation.change (lead_id, cause, changed_at)
      values (new.lead_id, new.cause, new.changed_at);
      return null;
    end $$;
    create trigger note_change after insert on mautic.lead_change
    for each row when (new.cause <> 'replay') execute function simulation.note_change();
    create table simulation.link (lead_id text, contact_id bigint, primary key (lead_id, contact_id));
    create function simulation.note_link() returns trigger language plpgsql security definer as $$
    begin
      insert into simulation.link values (new.lead_id, new.contact_id) on conflict do nothing;
      return null;
    end $$;
    create trigger note_link after insert or update on mautic.contact_link
    for each row execute function simulation.note_link();
    create table simulation.version (
      lead_id text, address text, eligible boolean, at timestamptz, place bigint generated always as identity);
    grant all on simulation.version to public;
    create function simulation.note_version() returns trigger language plpgsql security definer as $$
    begin
      if tg_op = 'DELETE' then
        insert into simulation.version (lead_id, address, eligible, at) values (old.id, null, false, mautic.clock());
      else
        insert into simulation.version (lead_id, address, eligible, at) values (
          new.id, lower(btrim(new.email)),
          coalesce(new.marketing_opt_in and new.ml_score >= 70 and new.crm_status in ('qualified', 'converted'), false),
          mautic.clock());
      end if;
      return null;
    end $$;
    create trigger note_version after insert or update or delete on public.leads
    for each row execute function simulation.note_version();
    select vault.create_secret('http://function.test/mautic-sync', 'mautic_sync_url');
    select vault.create_secret('sb_secret_simulated', 'mautic_sync_key');
  `);
  const keys = await createApiKeys();
  const api = createDataApi({ databaseUrl: database.url, keys, schemas: ["public", "mautic"] });
  let set = 0;

  async function onTime(): Promise<void> {
    if (set === scheduler.now()) return;
    set = scheduler.now();
    await admin`select setval('simulation.microseconds', greatest(${set}::bigint * 1000,
      (select last_value from simulation.microseconds)))`;
  }

  return {
    admin,
    secretKey: keys.secret,
    session: () => database.session(),
    step: (work) =>
      scheduler.track((async () => {
        await onTime();
        return await work(admin);
      })()),
    request: (request) =>
      scheduler.track((async () => {
        await onTime();
        const response = await api.fetch(request);
        return { status: response.status, body: await response.text(), headers: response.headers };
      })()),
    async [Symbol.asyncDispose]() {
      await api.close();
      await database[Symbol.asyncDispose]();
    },
  };
}
