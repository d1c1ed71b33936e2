-- The doorbell: pg_net is a bell, not a queue (its tables are unlogged, it never retries, and
-- every ring costs a function invocation and ~13 µs on every later statement of the backend per
-- 1,000 rings). So a writer rings at most once a transaction, and not at all while a worker is
-- there; a worker leaves only by a protocol that cannot strand a row.

create table mautic.worker (
  id uuid primary key,
  lease_expires_at timestamptz not null,
  started_at timestamptz not null default mautic.clock()
);

comment on table mautic.worker is 'Workers that drain the outbox now. A lease past its expiry is a dead worker.';

alter table mautic.worker enable row level security;

-- Unlogged, as pg_net's own tables: a crash empties both, and its ids begin anew.
create unlogged table mautic.ring_sent (
  id bigint generated always as identity primary key,
  request_id bigint not null,
  action text not null,
  rung_at timestamptz not null default mautic.clock()
);

comment on table mautic.ring_sent is
  'The rings of the last hours by pg_net''s request id: their answers are in net._http_response. Purged by mautic.purge_rings().';

alter table mautic.ring_sent enable row level security;

-- The two advisory locks of this schema, in one place.
create function mautic.doorbell_lock() returns bigint language sql immutable as 'select 4707216361001';
create function mautic.claim_lock() returns bigint language sql immutable as 'select 4707216361002';

comment on function mautic.doorbell_lock() is
  'Advisory lock key: shared by writers from their look to their commit, exclusive by a leaving worker.';
comment on function mautic.claim_lock() is 'Advisory lock key: claims and worker starts are serialised under it.';

-- What ties a write, its ring, the function's log lines and the call to Mautic together: the
-- application's own id where it gives one (a setting, or the header of a Data API request).
create function mautic.given_correlation_id()
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  given text := nullif(current_setting('mautic.correlation_id', true), '');
begin
  if given is null then
    begin
      given := nullif(current_setting('request.headers', true), '')::json ->> 'x-correlation-id';
    exception when others then
      given := null;
    end;
  end if;
  return case when given ~ '^[A-Za-z0-9._:-]{1,128}$' then given end;
end
$$;

comment on function mautic.given_correlation_id() is
  'The setting mautic.correlation_id, else the request''s X-Correlation-ID; null without one that is sound.';

-- Every write of a lead asks, and most bring no id: Postgres writes this into the caller's
-- expression, as long as it has no search path of its own.
create function mautic.correlation_id()
returns text
language sql
volatile
as $$
  select coalesce(
    case
      when current_setting('mautic.correlation_id', true) <> '' or current_setting('request.headers', true) <> ''
        then mautic.given_correlation_id()
    end,
    'tx-' || pg_current_xact_id_if_assigned(),
    gen_random_uuid()::text
  )
$$;

comment on function mautic.correlation_id() is
  'The given one, else tx- and the transaction''s number, else (nothing was written yet) a new uuid.';

-- to_regproc() answers null for an overloaded name, so the catalogue is asked: by a name, not a text,
-- for its index is one of names.
create function mautic.has_routine(p_schema text, p_name text)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = p_schema::name and p.proname = p_name::name
  );
$$;

create function mautic.vault_secret(p_name text)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if to_regclass('vault.decrypted_secrets') is null then
    return null;
  end if;
  -- Looked up when it is first run, not when this function is made: the schema may come later.
  return (select nullif(btrim(s.decrypted_secret), '') from vault.decrypted_secrets s where s.name = p_name limit 1);
end
$$;

-- Rings. Carries no lead data: a cloned database or a lost ring does no harm.
create function mautic.ring_for(p_action text, p_correlation_id text)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  url text;
  key text;
  headers jsonb;
  request_id bigint;
begin
  if to_regnamespace('net') is null then
    return 'no_pg_net';
  end if;
  url := mautic.vault_secret('mautic_sync_url');
  key := mautic.vault_secret('mautic_sync_key');
  if url is null or key is null then
    return 'no_secret';
  end if;
  if url !~* '^https?://[^[:space:]/]+' then
    raise warning 'the Vault secret mautic_sync_url is not an http(s) URL: no bell was rung';
    return 'bad_url';
  end if;
  headers := jsonb_build_object(
    'Content-Type', 'application/json', 'apikey', key, 'X-Correlation-ID', p_correlation_id);
  -- Legacy service-role keys are JWTs and travel as bearer too.
  if key like 'ey%' then
    headers := headers || jsonb_build_object('Authorization', 'Bearer ' || key);
  end if;
  request_id := net.http_post(
    url := url, body := jsonb_build_object('action', p_action), headers := headers, timeout_milliseconds := 5000);
  insert into mautic.ring_sent (request_id, action) values (request_id, p_action);
  return 'rang';
exception
when undefined_function then
  return 'no_pg_net';
when others then
  -- Never the application's problem: the change row is there, the sweep will find it.
  raise warning 'mautic-sync could not be rung (%): the sweep will find the change', sqlstate;
  return 'failed';
end
$$;

comment on function mautic.ring_for(text, text) is
  'Asks mautic-sync for an action, through pg_net and the Vault secrets mautic_sync_url and mautic_sync_key. '
  'Never raises. Returns rang, no_pg_net, no_secret, bad_url or failed.';

create function mautic.ring(p_correlation_id text)
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select mautic.ring_for('drain', p_correlation_id);
$$;

comment on function mautic.ring(text) is 'Asks mautic-sync to drain. Never raises. Returns as ring_for().';

-- The writer's half of the protocol, called by the triggers. Every write of a lead pays for it, so
-- it has no rights of its own: who calls it has them (security definer).
create function mautic.ring_doorbell(p_correlation_id text, p_changes bigint)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  -- Once a transaction. The setting is transaction-local: rolling back to a savepoint takes it
  -- back together with the ring itself.
  if current_setting('mautic.doorbell', true) = 'answered' then
    return;
  end if;

  -- Above READ COMMITTED this transaction's snapshot may be older than a worker's leaving.
  -- One condition, because plpgsql evaluates it as such and would run each call as a query.
  if set_config('mautic.doorbell', 'answered', true) is not null
    and current_setting('transaction_isolation') in ('read committed', 'read uncommitted')
    and pg_advisory_xact_lock_shared(mautic.doorbell_lock()) is not null
  then
    -- A statement of its own, after the lock: a worker that left before is seen to have left,
    -- one that wants to leave now cannot before this transaction ends. The other order strands rows.
    perform from mautic.worker w where w.lease_expires_at > mautic.clock() limit 1;
    if found then
      return;
    end if;
  end if;

  -- Nothing is sent just now: nobody is called for nothing. Who resumes rings; the sweep probes.
  if mautic.sending_state() in ('paused', 'open') then
    return;
  end if;
  perform mautic.ring_for('drain', p_correlation_id);
  -- An import gets two workers at once. The first would call the second, but pg_net rests for a
  -- second after each of its batches: measured, 8 % of the time that 1,000 leads take.
  if p_changes > 100 then
    perform mautic.ring_for('drain', p_correlation_id);
  end if;
end
$$;

comment on function mautic.ring_doorbell(text, bigint) is
  'Rings mautic-sync at most once a transaction (twice for more than two batches of changes), and not while a '
  'worker is there to see the change.';

-- Is there anything a worker could take now?
create function mautic.has_work()
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox", at its indexes.
set enable_seqscan = off
set jit = off
as $$
begin
  return exists (select from mautic.lead_change)
    or exists (select from mautic.outbox where state = 'pending')
    or exists (select from mautic.outbox where state = 'waiting' and not_before <= mautic.clock())
    or exists (select from mautic.outbox where state = 'leased' and lease_expires_at <= mautic.clock())
    -- A probe takes what waits before its time.
    or (
      mautic.sending_state() = 'probe'
      and exists (
        select from mautic.outbox where state = 'waiting' and not ambiguous and error_code is distinct from 'rate_limited'
      )
    );
end
$$;

comment on function mautic.has_work() is 'True when the outbox or the change log holds something due.';

-- A row can be due and yet not claimable (its person is held elsewhere); a change never is.
create function mautic.has_changes()
returns boolean
language sql
volatile
security definer
set search_path = ''
as $$
  select exists (select from mautic.lead_change);
$$;

comment on function mautic.has_changes() is 'True when the change log holds something that no worker has seen.';
