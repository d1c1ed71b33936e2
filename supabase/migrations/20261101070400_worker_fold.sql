-- What a claim begins with: the log is folded into the outbox, and what was out or waiting and is
-- due again becomes pending.

-- Takes rows from the log. Those of a transaction that proved bulk are bulk from its first row on.
create function mautic.take_changes(p_limit int)
returns setof mautic.logged_lead
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  return query
  with first as (
    select l.lane, l.id, sum(cardinality(l.lead_ids)) over (order by l.lane, l.id) - cardinality(l.lead_ids) as leads_before
    from (select f.lane, f.id, f.lead_ids from mautic.lead_change f order by f.lane, f.id limit p_limit) l
  ), gone as (
    delete from mautic.lead_change c
    using first f
    where c.lane = f.lane and c.id = f.id and f.leads_before < p_limit
    returning c.*
  )
  select
    case when g.lane < 'bulk' and exists (select from mautic.bulk_transaction b where b.xid = g.xid) then 'bulk' else g.lane end,
    g.id, l.lead_id, g.cause, g.force, coalesce(g.correlation_id, 'tx-' || g.xid), coalesce(l.changed_at, g.changed_at), g.queued_at, g.removal,
    g.column_set, g.changed, g.chosen, g.fill, g.xid
  from gone g
  cross join lateral unnest(g.lead_ids, g.times) l(lead_id, changed_at);
end
$$;

comment on function mautic.take_changes(int) is 'Takes rows from the log, by lane and age, until they are p_limit leads or some more.';

-- One such row would keep all others from being folded.
create function mautic.without_overlong(p_taken mautic.logged_lead[])
returns setof mautic.logged_lead
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.attachment a set overlong = a.overlong + n.changes
  from (
    select (mautic.source_of(t.lead_id)).source as source, count(*) as changes
    from unnest(p_taken) t where mautic.is_overlong(t.lead_id) group by 1
  ) n
  where a.source = n.source
    -- Who attaches it anew starts from none.
    and a.source in (select s.source from mautic.attachment s for update skip locked);
  return query select t.* from unnest(p_taken) t where not mautic.is_overlong(t.lead_id);
end
$$;

comment on function mautic.without_overlong(mautic.logged_lead[]) is
  'These changes without those of leads that our indexes cannot hold, which are counted in mautic.attachment.overlong.';

create function mautic.look_at_changes(p_taken mautic.logged_lead[])
returns setof mautic.seen_lead
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  ids text[];
  logged_at timestamptz[];
  times jsonb[];
begin
  select array_agg(b.lead_id), array_agg(b.logged_at), array_agg(b.times) into ids, logged_at, times
  from (
    select c.lead_id, max(c.logged_at) as logged_at, jsonb_object_agg(
      c.name, to_char(c.logged_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) filter (where c.name is not null) as times
    from (
      select t.lead_id, u.name, max(t.changed_at) filter (where t.cause not in ('replay', 'mailable')) as logged_at
      from unnest(p_taken) t
      left join lateral mautic.columns_changed(t.column_set, t.changed) u(name) on true
      group by t.lead_id, u.name
    ) c
    group by c.lead_id
  ) b;
  return query select l.* from mautic.look_at_leads(ids, logged_at, times) l;
end
$$;

comment on function mautic.look_at_changes(mautic.logged_lead[]) is 'The leads of these changes, as they are and as they were known.';

-- Which of these leads are to be sent. One that was there before its table was attached is not, for a bulk's or a
-- comparison's sake, loaded anew or not: nobody has said that it belongs in Mautic. A withdrawal of its consent passes,
-- and nothing else of it.
create function mautic.leads_to_send(
  p_taken mautic.logged_lead[], p_seen mautic.seen_lead[], out said text[], out withdrawn text[]
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  unread constant text[] := array(select a.source from mautic.attachment a where a.read_to_end_at is null);
begin
  select
    array_agg(w.lead_id) filter (where w.is_said or not w.is_known),
    array_agg(w.lead_id) filter (where w.is_known and w.has_withdrawn and not w.is_said)
  into said, withdrawn
  from (
    select
      u.lead_id, coalesce(bool_or(u.is_said), false) as is_said, coalesce(bool_or(u.has_withdrawn), false) as has_withdrawn,
      coalesce(bool_or(u.is_known), false) or (
        coalesce(bool_or(u.is_unread), false) and not coalesce(bool_or(u.is_inserted), false)) as is_known
    from (
      select t.lead_id, t.lane < 'bulk' or t.chosen or t.cause = 'replay' as is_said, t.cause = 'insert' as is_inserted,
        null::boolean as is_known, null::boolean as is_unread, null::boolean as has_withdrawn
      from unnest(p_taken) t
      union all
      select l.lead_id, null, null, l.known_since is not null, not l.was_there and l.source = any (unread),
        l.was_consent and not l.consent
      from unnest(p_seen) l
    ) u
    group by u.lead_id
  ) w;
  said := coalesce(said, '{}');
  withdrawn := coalesce(withdrawn, '{}');
end
$$;

comment on function mautic.leads_to_send(mautic.logged_lead[], mautic.seen_lead[]) is
  'said: those of these leads that go out: all but known ones that only a bulk or a comparison touched. withdrawn: known ones '
  'of which nothing goes out but a no.';

create function mautic.forget_emptied()
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  emptied record;
begin
  for emptied in
    delete from mautic.table_change t where t.cause = 'truncate' returning t.source, t.changed_at
  loop
    perform mautic.forget_leads(array(
      select s.lead_id from mautic.lead_state s where s.source = emptied.source and s.read_at < emptied.changed_at));
  end loop;
end
$$;

comment on function mautic.forget_emptied() is 'The leads of truncated tables are gone, but for those that were loaded since.';

-- Of one person in the order of change, whatever the lanes: who takes an address over that another lead is about to
-- leave would be sent to that lead's contact.
create function mautic.lift_others(p_seen mautic.seen_lead[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.outbox o
  set lane = x.lane
  from (
    select k.lead_id, min(q.lane) as lane
    from unnest(p_seen) l
    join mautic.outbox q on q.lead_id = l.lead_id
    join mautic.contact c on c.address = l.address
    join mautic.contact_link k on k.contact_id = c.contact_id and k.origin = c.origin and k.lead_id <> l.lead_id
    group by k.lead_id
  ) x
  where o.lead_id = x.lead_id and o.lane > x.lane;
end
$$;

comment on function mautic.lift_others(mautic.seen_lead[]) is
  'Lifts queued leads that are the contact with the address of one of these into its lane.';

-- Folds changes of p_limit leads or some more, new leads first. Only under the claim lock.
create function mautic.fold(p_limit int)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  taken mautic.logged_lead[];
  seen mautic.seen_lead[];
  sent record;
begin
  perform mautic.forget_emptied();

  taken := array(select t from mautic.take_changes(p_limit) t);
  if taken = '{}' then
    return false;
  end if;
  if exists (select from unnest(taken) t where mautic.is_overlong(t.lead_id)) then
    taken := array(select t from mautic.without_overlong(taken) t);
    if taken = '{}' then
      return exists (select from mautic.lead_change);
    end if;
  end if;
  seen := array(select l from mautic.look_at_changes(taken) l);
  select * into sent from mautic.leads_to_send(taken, seen);
  perform mautic.remember_leads(array(
    select (l.lead_id, l.is_whole, l.source, l.address, l.stage, l.consent, l.changed_at, l.digest, l.was_stage, l.was_consent,
      l.was_there, case when s.id is null then coalesce(l.known_since, mautic.clock()) end, l.logged_at, l.times)::mautic.seen_lead
    from unnest(seen) l
    left join unnest(sent.said) s(id) on s.id = l.lead_id));

  with meant as (
    select t.lead_id, t.lane, t.id, t.cause, t.force, t.chosen, t.fill, t.changed_at, t.queued_at, t.correlation_id, t.removal
    from unnest(taken) t
    where t.lead_id = any (sent.said || sent.withdrawn)
    union all
    -- What became mailable again is the person: the lead that the contact shows is the one to be
    -- looked at once more.
    select c.lead_id, t.lane, t.id, t.cause, false, false, true, c.lead_changed_at, t.changed_at, t.correlation_id, null
    from unnest(taken) t
    join mautic.contact_link k on k.lead_id = t.lead_id
    join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
    where t.cause = 'mailable' and c.lead_id <> t.lead_id
      and exists (select from mautic.read_leads(array[c.lead_id]))
    union all
    -- Who says no now goes first.
    select l.lead_id, 'new', null, null, false, false, true, null, null, null, null
    from unnest(seen) l
    where l.was_consent and not l.consent
  ), dirty as (
    select
      lead_id,
      count(id) as changes,
      min(lane) as lane,
      bool_or(force) as force,
      bool_or(chosen) as chosen,
      bool_and(fill) as fill,
      min(coalesce(queued_at, changed_at)) as enqueued_at,
      max(changed_at) filter (where cause not in ('replay', 'mailable')) as changed_at,
      max(changed_at) filter (where cause in ('replay', 'mailable')) as replayed_at,
      (array_agg(correlation_id order by id desc nulls last))[1] as correlation_id,
      -- The newest change says whether the lead is there; a replay knows nothing of that.
      bool_or(cause not in ('replay', 'mailable')) as has_changed,
      (array_agg(removal order by id desc) filter (where cause not in ('replay', 'mailable')))[1] as removal
    from meant
    group by lead_id
  )
  insert into mautic.outbox as o
    (lead_id, version, lane, force, chosen, fill, withdraws, enqueued_at, changed_at, correlation_id, removal)
  select
    d.lead_id, d.changes, d.lane, d.force, d.chosen, d.fill, d.lead_id = any (sent.withdrawn), d.enqueued_at,
    -- A replay is no change: the time it carries counts only where none of a change is known.
    coalesce(
      d.changed_at, queued.changed_at,
      (select max(k.changed_at) from mautic.contact_link k where k.lead_id = d.lead_id),
      d.replayed_at
    ),
    d.correlation_id,
    -- A bulk that was logged before a deletion may be folded after it.
    case when d.has_changed and d.changed_at >= coalesce(queued.changed_at, d.changed_at) then d.removal else queued.removal end
  from dirty d
  left join mautic.outbox queued on queued.lead_id = d.lead_id
  -- One order for all who lock several outbox rows: no deadlocks among them.
  order by d.lead_id
  on conflict (lead_id) do update
  set
    version = o.version + excluded.version,
    lane = case when o.state = 'dead' then excluded.lane else least(o.lane, excluded.lane) end,
    removal = excluded.removal,
    force = excluded.force or (o.force and o.state <> 'dead'),
    chosen = o.chosen or excluded.chosen,
    -- An edit is news: it sends its values.
    fill = o.fill and excluded.fill,
    withdraws = o.withdraws and excluded.withdraws,
    changed_at = greatest(o.changed_at, excluded.changed_at),
    correlation_id = excluded.correlation_id,
    -- An edit revives a dead letter, and starts its count again. Whoever waits goes on waiting.
    state = case when o.state = 'dead' then 'pending' else o.state end,
    enqueued_at = case when o.state = 'dead' then excluded.enqueued_at else least(o.enqueued_at, excluded.enqueued_at) end,
    attempts = case when o.state = 'dead' then 0 else o.attempts end,
    failed_alone = case when o.state = 'dead' then 0 else o.failed_alone end;

  perform mautic.lift_others(seen);
  return exists (select from mautic.lead_change);
end
$$;

comment on function mautic.fold(int) is
  'Folds changes of p_limit leads, or some more, into the outbox; returns whether some are left in the log.';

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
    lease_token = null, leased_by = null, leased_version = null, leased_at = null, lease_expires_at = null,
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
