-- The private schema. `public` holds what the application owns (leads, lead_activity); everything
-- that the sync needs to do its work lives here and is reached through functions only.
--
-- How to read the migrations: by chapter (the first two digits of a number, and the first word of a
-- name), and downwards. No file names anything that a later one makes (tests/schema/order_sql_test.ts):
--   00 foundation   the schema, its clock, addresses, correlation ids, Vault, settings
--   01 lead         what a lead is, how it is found, read and written
--   02 doorbell     is anything sent just now, is a worker there, the bell
--   03 outbox       the log of changes, the triggers that write it, the queue
--   04 contact      what is known of Mautic: contacts, whose they are, what an answer taught
--   05 consent      Mautic's news of a person: inbox, rules, what is written to the lead
--   06 campaign     enrolment
--   07 worker       who sends: circuit, leases, fold, claim, settle, the token
--   08 operate      what a person calls: pause, replay, status, history, erase; retention
--   09 last         cron jobs, privileges

-- Before anything else: a schema of this name that somebody made for something else is not taken over.
do $refuse$
declare
  theirs pg_namespace;
  content text;
begin
  select * into theirs from pg_namespace n where n.nspname = 'mautic';
  if theirs.oid is null then
    return;
  end if;
  select string_agg(o.name, ', ' order by o.name) into content
  from (
    select format('%s %I', case c.relkind
      when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' when 'S' then 'sequence'
      when 'c' then 'type' else 'table' end, c.relname) as name
    from pg_class c where c.relnamespace = theirs.oid and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c')
    union all
    select format('function %s(%s)', quote_ident(p.proname), pg_get_function_identity_arguments(p.oid))
    from pg_proc p where p.pronamespace = theirs.oid
    union all
    select format('type %I', t.typname) from pg_type t
    where t.typnamespace = theirs.oid and t.typrelid = 0 and t.typelem = 0
  ) o;
  if content is not null or theirs.nspacl is not null or not pg_has_role(current_user, theirs.nspowner, 'usage') then
    raise exception 'There is a schema mautic already, and it is not of this sync. Owner: %. Rights: %. In it: %.',
      theirs.nspowner::regrole, coalesce(theirs.nspacl::text, 'none given'), coalesce(left(content, 2000), 'nothing')
      using errcode = 'duplicate_schema',
        detail = 'Nothing was changed. The sync''s own schema cannot have another name.',
        hint = 'Rename yours, and what refers to it: alter schema mautic rename to mautic_data; then push again.';
  end if;
end
$refuse$;

create schema if not exists mautic;

comment on schema mautic is
  'Two-way sync between the leads table and Mautic: change log, outbox, contacts, tokens. '
  'Operators use it as postgres; edge functions call its functions as service_role; '
  'anon and authenticated have nothing here.';

-- PostgREST switches to service_role for calls made with a secret key.
grant usage on schema mautic to service_role;

-- The one clock of the database side. Leases and graces run on wall-clock time, not on the
-- transaction's start (a claim that waited for a lock must not lease into the past).
-- No `set search_path`: it would keep the planner from inlining the call.
create function mautic.clock()
returns timestamptz
language sql
volatile
as 'select pg_catalog.clock_timestamp()';

comment on function mautic.clock() is
  'Wall-clock time. Everything in this schema that reads the time reads it here.';
