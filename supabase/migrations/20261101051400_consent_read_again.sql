-- Deliveries that an operator wants read anew (mautic.replay_webhook).

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
