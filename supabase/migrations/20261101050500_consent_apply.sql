-- From events to leads.email_status. Everything here works on sets: a delivery of 1,000 events is
-- a handful of statements, each finding its rows by an index.

-- Applies events whatever their state: applying twice, or in another order, ends the same.
-- Raises lock_not_available when a lead is locked for longer than lock_timeout: a delivery waits
-- for nobody, the sweep comes again.
create function mautic.apply_events(p_event_ids bigint[])
returns int
language plpgsql
volatile
security definer
set search_path = ''
set lock_timeout = '250ms'
as $$
declare
  pair_events bigint[];
  pair_leads text[];
  known jsonb;
  changes jsonb;
begin
  select array_agg(m.event_id), array_agg(m.lead_id) into pair_events, pair_leads
  from mautic.match_events(p_event_ids) m;

  -- The lock on the lead is what serialises deliveries about one person. What is read next is
  -- read in a later statement, so that it sees what the one before has committed.
  select jsonb_agg(to_jsonb(l)) into known
  from mautic.lock_leads(array(select distinct p.lead_id from unnest(pair_leads) p(lead_id))) l;

  with lead as materialized (
    select l.*
    from jsonb_to_recordset(known) as l(lead_id text, email_status text, email_status_changed_at timestamptz)
  ), stored as materialized (
    select * from mautic.subscription s where s.lead_id = any (pair_leads)
  ), base as materialized (
    -- Where the row shows another status than we wrote, somebody decided: that is the truth to go on from.
    select
      l.lead_id, l.email_status, l.email_status_changed_at,
      case when ours.holds then s.status else nullif(l.email_status, 'complained') end as status,
      case
        when ours.holds then s.status_at
        when l.email_status <> 'complained' then coalesce(l.email_status_changed_at, '-infinity')
      end as status_at,
      case when ours.holds then s.manual_at end as manual_at,
      case
        when ours.holds then s.complained_at
        when l.email_status = 'complained' then coalesce(l.email_status_changed_at, '-infinity')
      end as complained_at,
      s.origin, s.contact_id,
      -- Somebody decided then, a complaint included: what is older has no say any more.
      case
        when not ours.holds and s.lead_id is not null then coalesce(l.email_status_changed_at, '-infinity')
        else '-infinity'
      end as decided_at
    from lead l
    left join stored s on s.lead_id = l.lead_id
    cross join lateral (
      select s.lead_id is not null and mautic.email_status_of(s) is not distinct from l.email_status as holds
    ) ours
  ), heard as materialized (
    select p.lead_id, e.*
    from unnest(pair_events, pair_leads) as p(event_id, lead_id)
    join mautic.webhook_event e on e.id = p.event_id
    join base b on b.lead_id = p.lead_id
    where e.id = any (p_event_ids) and e.occurred_at > b.decided_at
      -- The lifting of our own entry, which took an opt-out with it that had just reached us.
      and not (e.kind = 'subscribed' and exists (
        select from mautic.contact c
        where c.origin = e.origin and c.contact_id = e.contact_id and mautic.is_lift_overtaken(c)))
  ), news as materialized (
    select
      h.lead_id,
      (array_agg(h.kind order by h.occurred_at desc, mautic.restrictiveness(h.kind) desc)
        filter (where h.kind in ('subscribed', 'unsubscribed', 'bounced')))[1] as status,
      max(h.occurred_at) filter (where h.kind in ('subscribed', 'unsubscribed', 'bounced')) as status_at,
      max(h.occurred_at) filter (where h.kind = 'manual') as manual_at,
      min(h.occurred_at) filter (where h.kind = 'complained') as complained_at,
      (array_agg(h.origin order by h.occurred_at desc) filter (where h.contact_id is not null))[1] as origin,
      (array_agg(h.contact_id order by h.occurred_at desc) filter (where h.contact_id is not null))[1] as contact_id
    from heard h
    group by h.lead_id
  ), merged as materialized (
    select
      b.lead_id, b.email_status, b.email_status_changed_at,
      case when n.newer then w.status else b.status end as status,
      case when n.newer then w.status_at else b.status_at end as status_at,
      greatest(b.manual_at, w.manual_at) as manual_at,
      least(b.complained_at, w.complained_at) as complained_at,
      coalesce(w.origin, b.origin) as origin,
      coalesce(w.contact_id, b.contact_id) as contact_id
    from base b
    join news w on w.lead_id = b.lead_id
    cross join lateral (
      select w.status is not null and (
        b.status_at is null
        or w.status_at > b.status_at
        or (w.status_at = b.status_at and mautic.restrictiveness(w.status) > mautic.restrictiveness(b.status))
      ) as newer
    ) n
  ), saved as (
    insert into mautic.subscription as s
      (lead_id, status, status_at, manual_at, complained_at, origin, contact_id)
    select lead_id, status, status_at, manual_at, complained_at, origin, contact_id from merged
    on conflict (lead_id) do update
    set
      status = excluded.status, status_at = excluded.status_at, manual_at = excluded.manual_at,
      complained_at = excluded.complained_at, origin = excluded.origin, contact_id = excluded.contact_id,
      gone_at = null
    returning s.lead_id, mautic.email_status_of(s) as status, mautic.email_status_at(s) as at
  )
  select
    jsonb_agg(jsonb_build_object(
      'lead_id', s.lead_id, 'was', m.email_status, 'status', s.status, 'at', s.at, 'event_id', cause.id
    )) into changes
  from saved s
  join merged m on m.lead_id = s.lead_id
  left join lateral (
    -- The event that the new status comes from.
    select h.id
    from heard h
    where h.lead_id = s.lead_id
    order by
      h.occurred_at = s.at desc,
      (case h.kind when 'manual' then 'unsubscribed' else h.kind end) = s.status desc,
      h.occurred_at desc
    limit 1
  ) cause on true
  where s.status is distinct from m.email_status or s.at is distinct from m.email_status_changed_at;

  perform mautic.write_email_status(
    array_agg(c.lead_id), array_agg(c.status), array_agg(c.at))
  from jsonb_to_recordset(changes) as c(lead_id text, status text, at timestamptz)
  having count(*) > 0;

  insert into public.lead_activity (lead_id, type, detail, occurred_at)
  select
    c.lead_id,
    case c.status when 'subscribed' then 'email_resubscribed' else 'email_' || c.status end,
    e.detail || jsonb_build_object(
      'from', c.was, 'to', c.status, 'mautic_status', case e.kind when 'subscribed' then 'contactable' else e.kind end,
      'source', e.source, 'contact_id', e.contact_id, 'delivery_id', e.delivery_id, 'event_id', e.id,
      'correlation_id', e.correlation_id),
    coalesce(c.at, e.occurred_at)
  from jsonb_to_recordset(changes) as c(lead_id text, was text, status text, at timestamptz, event_id bigint)
  join mautic.webhook_event e on e.id = c.event_id
  where c.status is distinct from c.was;

  perform mautic.restore_lifted(e.origin, array_agg(e.contact_id))
  from mautic.webhook_event e
  where e.id = any (p_event_ids) and e.kind <> 'subscribed' and e.contact_id is not null
  group by e.origin;

  update mautic.webhook_event e
  set
    state = case when e.id = any (pair_events) then 'applied' else 'pending' end,
    changed_leads = e.changed_leads + coalesce((
      select count(*)
      from jsonb_to_recordset(changes) as c(was text, status text, event_id bigint)
      where c.event_id = e.id and c.status is distinct from c.was), 0),
    applied_at = case when e.id = any (pair_events) then mautic.clock() end,
    error = null
  where e.id = any (p_event_ids);

  return (
    select count(*)
    from jsonb_to_recordset(changes) as c(was text, status text)
    where c.status is distinct from c.was);
end
$$;

comment on function mautic.apply_events(bigint[]) is
  'Writes email_status and lead_activity by these events; returns how many leads got another status. Events of '
  'nobody among the leads become pending. Repeatable.';

-- The same in savepoints: all at once; where that fails, one by one, so that a bad item blocks
-- nobody. What meets a lock stays stored for the sweep.
create function mautic.try_events(p_event_ids bigint[], p_one_by_one boolean)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  one bigint;
  changed int := 0;
begin
  if p_one_by_one then
    p_event_ids := mautic.free_events(p_event_ids);
  end if;
  if coalesce(cardinality(p_event_ids), 0) = 0 then
    return 0;
  end if;
  begin
    return mautic.apply_events(p_event_ids);
  exception
    when lock_not_available or deadlock_detected or serialization_failure then
      if not p_one_by_one then
        return 0;
      end if;
    when others then
      p_event_ids := coalesce(mautic.free_events(p_event_ids), '{}');
  end;

  foreach one in array p_event_ids loop
    begin
      changed := changed + mautic.apply_events(array[one]);
    exception
      when lock_not_available or deadlock_detected or serialization_failure then
        continue;
      when others then
        update mautic.webhook_event set state = 'failed', error = mautic.mask(sqlerrm) where id = one;
    end;
  end loop;
  return changed;
end
$$;

comment on function mautic.try_events(bigint[], boolean) is
  'apply_events() that never raises. A failing event becomes failed with its error, a locked one stays stored. '
  'p_one_by_one: step around locked leads too; without it a lock puts off all.';
