-- Replaying deliveries by hand.

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
