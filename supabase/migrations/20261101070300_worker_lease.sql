-- Workers: their leases, and the way they leave. How long a lease is the function says (worker/lease.ts):
-- an item's outlasts a request and the server's own time for it.

create function mautic.start_worker(p_worker_id uuid, p_max_workers int, p_lease_ms int)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(mautic.claim_lock());
  delete from mautic.worker where lease_expires_at <= mautic.clock();
  if (select count(*) from mautic.worker) >= p_max_workers then
    return false;
  end if;
  insert into mautic.worker (id, lease_expires_at)
  values (p_worker_id, mautic.clock() + p_lease_ms * interval '1 millisecond');
  return true;
end
$$;

comment on function mautic.start_worker(uuid, int, int) is
  'Takes one of p_max_workers worker leases for p_lease_ms. False when all are taken.';

-- Items carry their own lease so that it can outlast the worker's: a request that a killed
-- worker sent may still be at work in Mautic.
create function mautic.renew_lease(p_holder uuid, p_item_lease_ms int)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  renewed int;
begin
  -- As settle() locks: the circuit first, then items by id.
  perform mautic.renew_probe(p_holder);
  update mautic.outbox
  set lease_expires_at = mautic.clock() + p_item_lease_ms * interval '1 millisecond'
  where state = 'leased' and leased_by = p_holder and lead_id = any (array(
    select o.lead_id from mautic.outbox o
    where o.state = 'leased' and o.leased_by = p_holder and o.lease_expires_at > mautic.clock()
    order by o.lead_id
    for update
  ));
  get diagnostics renewed = row_count;
  return renewed;
end
$$;

comment on function mautic.renew_lease(uuid, int) is 'Renews the item leases of a holder; returns how many it still holds.';

create function mautic.renew_worker(p_worker_id uuid, p_lease_ms int, p_item_lease_ms int)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.worker
  set lease_expires_at = mautic.clock() + p_lease_ms * interval '1 millisecond'
  where id = p_worker_id and lease_expires_at > mautic.clock();
  if not found then
    return false;
  end if;
  perform mautic.renew_lease(p_worker_id, p_item_lease_ms);
  return true;
end
$$;

comment on function mautic.renew_worker(uuid, int, int) is
  'Renews a worker''s lease and those of its items. False when the lease had run out: stop.';

-- The worker's half. Lock first, look afterwards, in a new statement: looking first and locking
-- afterwards strands a row (reproduced). `try` never queues, so writers never wait behind it.
create function mautic.leave_worker(p_worker_id uuid)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if not pg_try_advisory_xact_lock(mautic.doorbell_lock()) then
    return 'busy';
  end if;
  if mautic.has_work() then
    return 'work';
  end if;
  delete from mautic.worker where id = p_worker_id;
  return 'left';
end
$$;

comment on function mautic.leave_worker(uuid) is
  'left: the lease is gone and every later writer will ring. work: look again. '
  'busy: a writer is between its look and its commit; try again.';

-- For a worker whose patience or budget is over: go, commit, and say whether work is left. A
-- writer that holds its transaction longer than that is covered by the sweep.
create function mautic.abandon_worker(p_worker_id uuid)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  delete from mautic.worker where id = p_worker_id;
$$;

comment on function mautic.abandon_worker(uuid) is 'Gives a worker lease back without looking. Look (has_work) in a later call.';
