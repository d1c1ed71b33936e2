-- The one call that mautic-webhook makes. Mautic waits for our answer while its own user (often our
-- own API call) waits for Mautic, so nothing here waits for long.

create function mautic.store_events(p_delivery_id bigint, p_events jsonb, p_correlation_id text)
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  with now as materialized (
    -- Read again, it was still received when it was.
    select d.last_received_at as at from mautic.webhook_delivery d where d.id = p_delivery_id
  ), given as materialized (
    select
      row_number() over ()::int as place, d.origin, g.contact_id, nullif(mautic.normalize_address(g.address), '') as address,
      g.kind,
      -- A time more than a day ahead is a broken clock; kept, it would outweigh all that follows.
      coalesce(case when g.occurred_at < now.at + interval '1 day' then g.occurred_at end, now.at) as occurred_at,
      (g.occurred_at < now.at + interval '1 day') is true as timed,
      coalesce(g.detail, '{}') as detail
    from mautic.webhook_delivery d
    cross join now
    cross join jsonb_to_recordset(p_events) as g(
      contact_id bigint, address text, kind text, occurred_at timestamptz, detail jsonb)
    where d.id = p_delivery_id
  ), keyed as materialized (
    select
      *,
      mautic.event_key(
        origin, contact_id, address, kind, occurred_at, case when not timed then place end) as event_key
    from given
  ), inserted as (
    insert into mautic.webhook_event
      (delivery_id, event_key, source, origin, contact_id, address, kind, occurred_at, detail, correlation_id)
    select p_delivery_id, k.event_key, 'webhook', k.origin, k.contact_id, k.address, k.kind, k.occurred_at, k.detail,
      p_correlation_id
    from keyed k
    order by k.place
    on conflict (event_key) do nothing
    returning id, event_key
  ), numbered as (
    select
      k.place,
      coalesce(i.id, e.id) as event_id,
      -- Twice in one body: the first is the new one.
      i.id is not null and row_number() over (partition by k.event_key order by k.place) = 1 as is_new
    from keyed k
    left join inserted i on i.event_key = k.event_key
    left join mautic.webhook_event e on e.event_key = k.event_key
  )
  select coalesce(
    jsonb_agg(jsonb_build_object('place', place, 'event_id', event_id, 'is_new', is_new) order by place), '[]')
  from numbered;
$$;

comment on function mautic.store_events(bigint, jsonb, text) is
  'Keeps the events of a delivery, each content once: [{place, event_id, is_new}].';

-- The one call that mautic-webhook makes. Mautic waits for our answer while its own user (often our
-- own API call) waits for Mautic, so nothing here waits for long.
create function mautic.receive_delivery(
  p_body text, p_events jsonb, p_origin text, p_is_test boolean, p_correlation_id text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  delivery mautic.webhook_delivery;
  stored jsonb := jsonb '[]';
begin
  insert into mautic.webhook_delivery as d (content_hash, body, origin, is_test, correlation_id)
  values (sha256(convert_to(p_body, 'UTF8')), p_body, p_origin, p_is_test, p_correlation_id)
  on conflict (content_hash) do update
  set times_received = d.times_received + 1, last_received_at = mautic.clock()
  returning * into delivery;

  if not p_is_test then
    begin
      stored := mautic.store_events(delivery.id, p_events, p_correlation_id);
      update mautic.webhook_delivery set error = null where id = delivery.id and error is not null;
    exception when others then
      update mautic.webhook_delivery set error = mautic.mask(sqlerrm) where id = delivery.id;
      return jsonb_build_object(
        'delivery_id', delivery.id, 'duplicate', delivery.times_received > 1, 'error', mautic.mask(sqlerrm), 'results', '[]'::jsonb);
    end;
    -- Some 0.2 ms each; what would take longer than a caller waits is left to
    -- apply_pending_deliveries().
    perform mautic.try_events(
      array(
        select (s ->> 'event_id')::bigint
        from jsonb_array_elements(stored) s
        where (s ->> 'is_new')::boolean
        limit 5000),
      false);
  end if;

  return jsonb_build_object(
    'delivery_id', delivery.id,
    'duplicate', delivery.times_received > 1,
    'results', (
      select coalesce(jsonb_agg(
        jsonb_build_object(
          'outcome', case
            when not s.is_new then 'duplicate'
            when e.state = 'stored' then 'deferred'
            when e.state = 'applied' and e.changed_leads = 0 then 'unchanged'
            else e.state
          end,
          'changed_leads', case when s.is_new then e.changed_leads else 0 end)
        order by s.place), '[]')
      from jsonb_to_recordset(stored) as s(place int, event_id bigint, is_new boolean)
      left join mautic.webhook_event e on e.id = s.event_id));
end
$$;

comment on function mautic.receive_delivery(text, jsonb, text, boolean, text) is
  'Stores a webhook body and applies its events: [{contact_id, address, kind, occurred_at, detail}]. Returns '
  '{delivery_id, duplicate, results[]}, a result for each event in order: applied, unchanged, duplicate, pending '
  '(nobody''s yet), deferred (a lead is locked, cron applies it) or failed.';
