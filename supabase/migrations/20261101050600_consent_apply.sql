-- From events to leads.email_status. Everything here works on sets: a delivery of 1,000 events is
-- a handful of statements, each finding its rows by an index. apply_events() near the end is the whole:
-- match, lock, merge (save_subscriptions), write, mark.

create type mautic.email_change as (lead_id text, was text, status text, at timestamptz, event_id bigint);

comment on type mautic.email_change is
  'A lead''s email_status, or its time, is another now. was: what the row shows; at: by Mautic''s clock; event_id: the '
  'event that it comes from.';

-- Saves what is known of these leads by these events; what their rows are to show is returned. p_leads: as
-- mautic.lock_leads() returned them, so that they stay as they are meanwhile.
create function mautic.save_subscriptions(p_pairs mautic.event_lead[], p_leads jsonb)
returns setof mautic.email_change
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  return query
  with known as materialized (
    select
      l.lead_id, l.email_status, l.email_status_changed_at,
      mautic.subscription_base(s, l.lead_id, l.email_status, l.email_status_changed_at) as base,
      mautic.decided_at(s, l.email_status, l.email_status_changed_at) as decided_at
    from jsonb_to_recordset(p_leads) as l(lead_id text, email_status text, email_status_changed_at timestamptz)
    left join mautic.subscription s on s.lead_id = l.lead_id
  ), heard as materialized (
    select p.lead_id, e.id, e.kind, e.occurred_at, e.origin, e.contact_id
    from unnest(p_pairs) p
    join mautic.webhook_event e on e.id = p.event_id
    join known k on k.lead_id = p.lead_id
    where e.occurred_at > k.decided_at
      -- The lifting of our own entry, which took an opt-out with it that had just reached us.
      and not (e.kind = 'subscribed' and exists (
        select from mautic.contact c
        where c.origin = e.origin and c.contact_id = e.contact_id and mautic.is_lift_overtaken(c)))
  ), news as materialized (
    select
      h.lead_id,
      row(
        h.lead_id,
        (array_agg(h.kind order by h.occurred_at desc, mautic.restrictiveness(h.kind) desc)
          filter (where h.kind in ('subscribed', 'unsubscribed', 'bounced')))[1],
        max(h.occurred_at) filter (where h.kind in ('subscribed', 'unsubscribed', 'bounced')),
        max(h.occurred_at) filter (where h.kind = 'manual'),
        min(h.occurred_at) filter (where h.kind = 'complained'),
        (array_agg(h.origin order by h.occurred_at desc) filter (where h.contact_id is not null))[1],
        (array_agg(h.contact_id order by h.occurred_at desc) filter (where h.contact_id is not null))[1],
        null
      )::mautic.subscription as said
    from heard h
    group by h.lead_id
  ), saved as (
    insert into mautic.subscription as s
    select merged.*
    from known k
    join news n on n.lead_id = k.lead_id
    cross join lateral mautic.merge_subscription(k.base, n.said) merged
    on conflict (lead_id) do update
    set
      status = excluded.status, status_at = excluded.status_at, manual_at = excluded.manual_at,
      complained_at = excluded.complained_at, origin = excluded.origin, contact_id = excluded.contact_id,
      gone_at = null
    returning s.lead_id, mautic.email_status_of(s) as status, mautic.email_status_at(s) as at
  )
  select s.lead_id, k.email_status, s.status, s.at, cause.id
  from saved s
  join known k on k.lead_id = s.lead_id
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
  where s.status is distinct from k.email_status or s.at is distinct from k.email_status_changed_at;
end
$$;

comment on function mautic.save_subscriptions(mautic.event_lead[], jsonb) is
  'Keeps what events say of leads (mautic.subscription), and returns what their rows are to show where they do not yet.';

create function mautic.write_email_changes(p_changes mautic.email_change[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform mautic.write_email_status(array_agg(c.lead_id), array_agg(c.status), array_agg(c.at))
  from unnest(p_changes) c
  having count(*) > 0;

  perform mautic.note_activity(array_agg(row(
    c.lead_id,
    case c.status when 'subscribed' then 'email_resubscribed' else 'email_' || c.status end,
    e.detail || jsonb_build_object(
      'from', c.was, 'to', c.status, 'mautic_status', case e.kind when 'subscribed' then 'contactable' else e.kind end,
      'source', e.source, 'contact_id', e.contact_id, 'delivery_id', e.delivery_id, 'event_id', e.id,
      'correlation_id', e.correlation_id),
    coalesce(c.at, e.occurred_at))::mautic.activity))
  from unnest(p_changes) c
  join mautic.webhook_event e on e.id = c.event_id
  where c.status is distinct from c.was
    -- The array as well as the join: whatever is guessed of its length, the key's index serves.
    and e.id = any (array(select x.event_id from unnest(p_changes) x))
  having count(*) > 0;
end
$$;

comment on function mautic.write_email_changes(mautic.email_change[]) is
  'Writes these changes into the leads'' rows, and the new statuses into lead_activity.';

create function mautic.mark_events(p_event_ids bigint[], p_applied bigint[], p_changes mautic.email_change[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.webhook_event e
  set
    state = case when e.id = any (p_applied) then 'applied' else 'pending' end,
    changed_leads = e.changed_leads + (
      select count(*) from unnest(p_changes) c where c.event_id = e.id and c.status is distinct from c.was),
    applied_at = case when e.id = any (p_applied) then mautic.clock() end,
    error = null
  where e.id = any (p_event_ids);
end
$$;

comment on function mautic.mark_events(bigint[], bigint[], mautic.email_change[]) is
  'Events are applied, or pending where they are about nobody among the leads.';

-- Applies events whatever their state: applying twice, or in another order, ends the same.
-- Raises lock_not_available when a lead is locked for longer than lock_timeout: a delivery waits
-- for nobody, apply_pending_deliveries() comes again.
create function mautic.apply_events(p_event_ids bigint[])
returns int
language plpgsql
volatile
security definer
set search_path = ''
set lock_timeout = '250ms'
as $$
declare
  pairs mautic.event_lead[];
  leads jsonb;
  changes mautic.email_change[];
begin
  select array_agg(m) into pairs from mautic.match_events(p_event_ids) m;
  -- The lock on the lead is what serialises deliveries about one person. What is read next is
  -- read in a later statement, so that it sees what the one before has committed.
  select jsonb_agg(to_jsonb(l)) into leads
  from mautic.lock_leads(array(select distinct p.lead_id from unnest(pairs) p)) l;

  select array_agg(c) into changes from mautic.save_subscriptions(pairs, leads) c;
  perform mautic.write_email_changes(changes);
  perform mautic.restore_lifted(e.origin, array_agg(e.contact_id))
  from mautic.webhook_event e
  where e.id = any (p_event_ids) and e.kind <> 'subscribed' and e.contact_id is not null
  group by e.origin;
  perform mautic.mark_events(p_event_ids, array(select p.event_id from unnest(pairs) p), changes);
  return (select count(*) from unnest(changes) c where c.status is distinct from c.was);
end
$$;

comment on function mautic.apply_events(bigint[]) is
  'Writes email_status and lead_activity by these events; returns how many leads got another status. Events of '
  'nobody among the leads become pending. Repeatable.';

-- The same in savepoints: all at once; where that fails, one by one, so that a bad item blocks
-- nobody. What meets a lock stays stored for apply_pending_deliveries().
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
