-- The private schema. `public` holds what the application owns (leads, lead_activity); everything
-- that the sync needs to do its work lives here and is reached through functions only.
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

-- As normalizeAddress() in shared/address.ts: an import leaves tabs, line ends and byte order marks, a
-- copied page no-break spaces. Two spellings must not be two people.
create function mautic.normalize_address(p_address text)
returns text
language sql
immutable
set search_path = ''
as $$
  select lower(btrim(p_address, E' \t\n\r\u00a0\ufeff'))
$$;

comment on function mautic.normalize_address(text) is
  'An e-mail address as it is compared: trimmed, lower case.';
