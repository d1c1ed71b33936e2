-- What the simulation adds to a database: virtual time, and a record of what leads were when.

create schema simulation;
grant usage on schema simulation to public;

-- A sequence is read outside of any snapshot, as a wall clock is, and every reading is a
-- microsecond later than the one before.
create sequence simulation.microseconds;
grant all on simulation.microseconds to public;

create or replace function mautic.clock() returns timestamptz language sql volatile as
  $$ select 'epoch'::timestamptz + nextval('simulation.microseconds') * interval '1 microsecond'
       + interval '{skew} milliseconds' $$;

-- The scheduler's time of a reading of mautic.clock(), in milliseconds.
create function simulation.time_of(p_at timestamptz) returns float8 language sql immutable as
  $$ select (extract(epoch from p_at) * 1000 - {skew})::float8 $$;

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

-- Nobody lets a lock go while a statement waits for it: one event runs at a time.
alter function mautic.apply_events(bigint[]) set lock_timeout = '4ms';

-- Every state of a lead's payload; payload null: deleted.
create table simulation.version (
  lead_id text, address text, payload jsonb, at float8, place bigint generated always as identity);
create index on simulation.version (lead_id, place);
create table simulation.link (
  lead_id text, contact_id bigint, at float8, place bigint generated always as identity);

create function simulation.note_version() returns trigger language plpgsql security definer as $$
declare
  was simulation.version;
  is_new boolean := tg_op = 'INSERT';
begin
  if tg_op = 'DELETE' then
    insert into simulation.version (lead_id, at) values (old.id, simulation.time_of(mautic.clock()));
    return null;
  end if;
  select * into was from simulation.version v where v.lead_id = new.id::text order by place desc limit 1;
  insert into simulation.version (lead_id, address, payload, at)
  select l.lead_id, l.address, l.payload, simulation.time_of(mautic.clock())
  from mautic.read_leads(array[new.id::text]) l
  where (is_new or l.payload is distinct from was.payload);
  return null;
end $$;
create trigger note_version after insert or update or delete on public.leads
for each row execute function simulation.note_version();

create function simulation.apply_known_events() returns trigger language plpgsql security definer as $$
begin
  insert into simulation.link (lead_id, contact_id, at)
  values (new.lead_id, new.contact_id, simulation.time_of(mautic.clock()));
  return null;
end $$;
create trigger apply_known_events after insert or update of contact_id on mautic.contact_link
for each row execute function simulation.apply_known_events();

-- Autovacuum runs by the machine's time, and takes locks.
do $do$
declare
  found record;
begin
  for found in
    select c.oid::regclass as place from pg_class c
    where c.relkind = 'r' and c.relnamespace::regnamespace::text in ('public', 'mautic', 'net', 'simulation')
  loop
    execute format('alter table %s set (autovacuum_enabled = off)', found.place);
  end loop;
end $do$;

create table simulation.status (lead_id text, email_status text, at float8, place bigint generated always as identity);
create function simulation.note_status() returns trigger language plpgsql security definer as $$
begin
  insert into simulation.status (lead_id, email_status, at) values (new.id::text, new.email_status, simulation.time_of(mautic.clock()));
  return null;
end $$;
create trigger note_status after insert or update of email_status on public.leads
for each row execute function simulation.note_status();

create table simulation.lost_worker (id uuid, at float8);
create function simulation.note_worker() returns trigger language plpgsql security definer as $$
begin
  if old.lease_expires_at <= mautic.clock() then
    insert into simulation.lost_worker values (old.id, simulation.time_of(mautic.clock()));
  end if;
  return null;
end $$;
create trigger note_worker after delete on mautic.worker for each row execute function simulation.note_worker();

select vault.create_secret('http://function.test/mautic-sync', 'mautic_sync_url');
select vault.create_secret('sb_secret_simulated', 'mautic_sync_key');
