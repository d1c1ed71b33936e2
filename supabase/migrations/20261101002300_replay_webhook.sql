-- Replaying deliveries by hand, and forgetting them.
create function mautic.replay_webhook(p_delivery_id bigint)
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

comment on function mautic.replay_webhook(bigint) is
  'Applies the events of a stored delivery again, failed ones too. Changes nothing that is right already. Returns '
  '{delivery_id, state: replayed|unknown|test, changed_leads, events: {applied, pending, stored, failed}}.';

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
    select make_interval(days => coalesce(max(s.value)::int, 30)) into age
    from mautic.setting s
    where s.name = 'webhook_days';
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
  'Deletes deliveries last received longer ago than p_older_than (null: the setting webhook_days, 30), with their '
  'applied events; lead_activity stays. Returns how many.';
