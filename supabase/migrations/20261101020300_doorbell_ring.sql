-- The doorbell: pg_net is a bell, not a queue (its tables are unlogged, it never retries, and
-- every ring costs a function invocation and ~13 µs on every later statement of the backend per
-- 1,000 rings). So a writer rings at most once a transaction, and not at all while a worker is
-- there; a worker leaves only by a protocol that cannot strand a row (leave_worker).

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

-- Rings. Carries no lead data: a cloned database or a lost ring does no harm.
create function mautic.ring_for(p_action text, p_correlation_id text)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  -- Named in full: whoever writes a lead may have a temporary type of that name.
  url pg_catalog.text;
  key pg_catalog.text;
  headers pg_catalog.jsonb;
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

-- The writer's half of the protocol. Every write of a lead pays for it, so neither function has rights of its own, nor a
-- search path: who calls it has them (security definer, and an empty one).

-- Postgres writes it into the caller's expression. Above READ COMMITTED this transaction's snapshot may be older than a
-- worker's leaving.
create function mautic.hold_doorbell()
returns boolean
language sql
volatile
as $$
  select current_setting('transaction_isolation') in ('read committed', 'read uncommitted')
    and pg_advisory_xact_lock_shared(mautic.doorbell_lock()) is not null
$$;

comment on function mautic.hold_doorbell() is
  'true: no worker can leave before this transaction ends, and a statement of its own after this one sees who is there. '
  'false: what this transaction sees does not tell.';

create function mautic.try_doorbell()
returns boolean
language sql
volatile
as $$
  select current_setting('transaction_isolation') in ('read committed', 'read uncommitted')
    and pg_try_advisory_xact_lock_shared(mautic.doorbell_lock())
$$;

comment on function mautic.try_doorbell() is 'As hold_doorbell(), and false where a worker is just leaving: it does not wait.';

create function mautic.ring_doorbell(p_correlation_id text, p_changes bigint)
returns void
language plpgsql
volatile
as $$
begin
  -- Once a transaction. The setting is transaction-local: rolling back to a savepoint takes it
  -- back together with the ring itself.
  if current_setting('mautic.doorbell', true) = 'answered' then
    return;
  end if;

  -- One condition, because plpgsql evaluates it as such and would run each call as a query.
  if set_config('mautic.doorbell', 'answered', true) is not null and mautic.hold_doorbell() then
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
