-- What a claim begins with: the log is folded into the outbox, and what was out or waiting and is
-- due again becomes pending.

-- Folds up to p_limit changes, live before replays. Only under the claim lock.
create function mautic.fold(p_limit int)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  with emptied as (
    delete from mautic.table_change t where t.cause = 'truncate' returning t.source, t.changed_at
  )
  delete from mautic.lead_state s
  using emptied
  where s.source = emptied.source and s.read_at < emptied.changed_at;

  perform mautic.remember_leads(array(
    select distinct first.lead_id
    from (select c.lead_id from mautic.lead_change c order by c.priority, c.id limit p_limit) first));

  with taken as (
    delete from mautic.lead_change c
    using (
      select priority, id from mautic.lead_change order by priority, id limit p_limit
    ) first
    where c.priority = first.priority and c.id = first.id
    returning c.*
  ), meant as (
    select lead_id, priority, id, cause, force, changed_at, queued_at, correlation_id, removal from taken
    union all
    -- What became mailable again is the person: the lead that the contact shows is the one to be
    -- looked at once more.
    select c.lead_id, t.priority, t.id, t.cause, false, c.lead_changed_at, t.changed_at, t.correlation_id, null
    from taken t
    join mautic.contact_link k on k.lead_id = t.lead_id
    join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
    where t.cause = 'mailable' and c.lead_id <> t.lead_id
      and exists (select from mautic.read_leads(array[c.lead_id]))
  ), dirty as (
    select
      lead_id,
      count(*) as changes,
      min(priority) as priority,
      bool_or(force) as force,
      min(coalesce(queued_at, changed_at)) as enqueued_at,
      max(changed_at) filter (where cause not in ('replay', 'mailable')) as changed_at,
      max(changed_at) filter (where cause in ('replay', 'mailable')) as replayed_at,
      (array_agg(correlation_id order by id desc))[1] as correlation_id,
      -- The newest live change says whether the lead is there; a replay knows nothing of that.
      (array_agg(removal order by id desc) filter (where priority = 0))[1] as removal
    from meant
    group by lead_id
  )
  insert into mautic.outbox as o
    (lead_id, version, priority, force, enqueued_at, changed_at, correlation_id, removal)
  select
    d.lead_id, d.changes, d.priority, d.force, d.enqueued_at,
    -- A replay is no change: the time it carries counts only where none of a change is known.
    coalesce(
      d.changed_at, queued.changed_at,
      (select max(k.changed_at) from mautic.contact_link k where k.lead_id = d.lead_id),
      d.replayed_at
    ),
    d.correlation_id, d.removal
  from dirty d
  left join mautic.outbox queued on queued.lead_id = d.lead_id
  -- One order for all who lock several outbox rows: no deadlocks among them.
  order by d.lead_id
  on conflict (lead_id) do update
  set
    version = o.version + excluded.version,
    priority = case when o.state = 'dead' then excluded.priority else least(o.priority, excluded.priority) end,
    removal = case when excluded.priority = 0 then excluded.removal else o.removal end,
    force = excluded.force or (o.force and o.state <> 'dead'),
    changed_at = greatest(o.changed_at, excluded.changed_at),
    correlation_id = excluded.correlation_id,
    -- An edit revives a dead letter, and starts its count again. Whoever waits goes on waiting.
    state = case when o.state = 'dead' then 'pending' else o.state end,
    enqueued_at = case when o.state = 'dead' then excluded.enqueued_at else least(o.enqueued_at, excluded.enqueued_at) end,
    attempts = case when o.state = 'dead' then 0 else o.attempts end,
    failed_alone = case when o.state = 'dead' then 0 else o.failed_alone end;

  return exists (select from mautic.lead_change);
end
$$;

comment on function mautic.fold(int) is
  'Folds up to p_limit rows of the change log into the outbox; returns whether some are left in the log.';

-- Leases that ran out and waits that are over become due. A lease that ran out means a worker
-- died with a request maybe still open in Mautic; the lease was long enough to outlast that.
create function mautic.recover(p_origin text)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  due constant timestamptz := mautic.clock();
  lost_keys text[];
begin
  select array_agg(key) into lost_keys
  from mautic.outbox o, unnest(o.person_keys) key
  where o.state = 'leased' and o.lease_expires_at <= due;
  if lost_keys is not null then
    perform mautic.doubt_contacts(p_origin, lost_keys);
  end if;

  update mautic.outbox
  set
    state = 'pending', ambiguous = true, attempts = attempts + 1,
    lease_token = null, leased_by = null, leased_version = null, lease_expires_at = null,
    person_keys = null, not_before = null
  where state = 'leased' and lease_expires_at <= due;

  update mautic.outbox
  set state = 'pending', not_before = null, person_keys = null
  where lead_id in (
    select lead_id from mautic.outbox
    where state = 'waiting' and not_before <= due
    order by not_before
    limit 1000
  );
end
$$;

comment on function mautic.recover(text) is 'Makes expired leases and finished waits pending again.';
