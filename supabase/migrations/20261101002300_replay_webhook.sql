-- Replaying deliveries by hand, and forgetting them.
create function mautic.replay_webhook(p_delivery_id bigint, p_read_again boolean default false)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  delivery mautic.webhook_delivery;
  ids bigint[];
  changed int;
begin
  select * into delivery from mautic.webhook_delivery where id = p_delivery_id;
  if not found then
    return jsonb_build_object('delivery_id', p_delivery_id, 'state', 'unknown');
  end if;
  if delivery.is_test then
    return jsonb_build_object('delivery_id', p_delivery_id, 'state', 'test');
  end if;
  if p_read_again or delivery.error is not null then
    update mautic.webhook_delivery set unread = true where id = p_delivery_id;
    return jsonb_build_object('delivery_id', p_delivery_id, 'state', 'to_read', 'ring', mautic.ring_reconcile());
  end if;

  select array_agg(id order by id) into ids from mautic.webhook_event where delivery_id = p_delivery_id;
  update mautic.webhook_event set state = 'stored', error = null where id = any (ids);
  changed := mautic.try_events(ids, true);
  return jsonb_build_object(
    'delivery_id', p_delivery_id,
    'state', 'replayed',
    'changed_leads', changed,
    'events', (
      select coalesce(jsonb_object_agg(c.state, c.n), '{}')
      from (select e.state, count(*) as n from mautic.webhook_event e where e.id = any (ids) group by e.state) c));
end
$$;

comment on function mautic.replay_webhook(bigint, boolean) is
  'Applies the events of a stored delivery again, failed ones too. Changes nothing that is right already. '
  'p_read_again: has mautic-sync read the body anew first (after a correction there); so does a delivery whose events '
  'could not be stored. Returns {delivery_id, state: replayed|to_read|unknown|test, changed_leads, events}.';

create function mautic.next_unread_delivery()
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  select jsonb_build_object('delivery_id', d.id, 'body', d.body)
  from mautic.webhook_delivery d
  where d.unread
  order by d.id
  limit 1;
$$;

comment on function mautic.next_unread_delivery() is '{delivery_id, body} of a delivery that is to be read again, or null.';

create function mautic.replace_events(p_delivery_id bigint, p_events jsonb, p_is_test boolean, p_correlation_id text)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.webhook_delivery
  set unread = false, error = null, is_test = p_is_test
  where id = p_delivery_id and unread;
  if not found then
    return 0;
  end if;
  delete from mautic.webhook_event where delivery_id = p_delivery_id;
  if p_is_test then
    return 0;
  end if;
  begin
    return mautic.try_events(
      array(
        select (s ->> 'event_id')::bigint
        from jsonb_array_elements(mautic.store_events(p_delivery_id, p_events, p_correlation_id)) s
        where s ->> 'event_id' is not null),
      true);
  exception when others then
    update mautic.webhook_delivery set error = mautic.mask(sqlerrm) where id = p_delivery_id;
    return 0;
  end;
end
$$;

comment on function mautic.replace_events(bigint, jsonb, boolean, text) is
  'Puts what a delivery was read as in the place of its events and applies it; returns how many leads changed. What '
  'the earlier reading did stays done: correct email_status by hand where it was wrong.';

create function mautic.purge_webhooks(p_older_than interval default null)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  age interval := p_older_than;
  purged int;
begin
  if age is null then
    age := make_interval(days => mautic.get('webhook_days')::int);
  end if;
  -- What could not be applied yet, or needs a person, is kept with its body.
  delete from mautic.webhook_delivery d
  where d.last_received_at < mautic.clock() - age
    and not exists (
      select from mautic.webhook_event e where e.delivery_id = d.id and e.state in ('stored', 'failed'));
  get diagnostics purged = row_count;
  -- A pending event stays: it is an opt-out of somebody who may yet become a lead.
  delete from mautic.webhook_event e
  where e.delivery_id is null and e.state = 'applied' and e.applied_at < mautic.clock() - age;
  return purged;
end
$$;

comment on function mautic.purge_webhooks(interval) is
  'Deletes deliveries last received longer ago than p_older_than (null: the setting webhook_days), with their '
  'applied events; lead_activity stays. Returns how many.';
