-- What is known of a contact reaches a lead that is newly linked to it.

-- Entries of contacts that are nobody's lead make no event: the link will look here (apply_known_events).
create function mautic.store_entry_events(p_origin text, p_entry_ids bigint[], p_correlation_id text)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ids bigint[];
begin
  with noted as (
    insert into mautic.webhook_event
      (event_key, source, origin, contact_id, kind, occurred_at, detail, correlation_id)
    select
      mautic.event_key(d.origin, d.contact_id, null, d.kind, d.added_at),
      'reconcile', d.origin, d.contact_id, d.kind, d.added_at, d.detail || jsonb_build_object('entry_id', d.entry_id),
      p_correlation_id
    from mautic.do_not_contact d
    where d.origin = p_origin and d.entry_id = any (p_entry_ids) and d.kind is not null
      and exists (
        select from mautic.contact_link k where k.origin = d.origin and k.contact_id = d.contact_id)
    on conflict (event_key) do nothing
    returning id
  )
  select array_agg(n.id) into ids from noted n;
  return ids;
end
$$;

-- The webhook may overtake our own answer that tells the contact's id; and a further lead of a
-- person takes over what is known of it. Never breaks the settle it runs in.
create function mautic.apply_known_events()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  ids bigint[];
  free bigint[];
begin
  perform mautic.store_entry_events(new.origin, array(
    select d.entry_id from mautic.do_not_contact d
    where d.origin = new.origin and d.contact_id = new.contact_id and d.kind is not null
  ), mautic.correlation_id());
  select array_agg(e.id) into ids
  from (
    select e.id
    from mautic.webhook_event e
    where e.origin = new.origin and e.contact_id = new.contact_id and e.state <> 'failed'
    union
    select e.id
    from mautic.webhook_event e
    where e.state = 'pending'
      and e.address = any (array(select l.address from mautic.read_leads(array[new.lead_id]) l))
  ) e;
  if ids is null then
    return null;
  end if;
  free := mautic.free_events(ids);
  update mautic.webhook_event set state = 'stored' where id = any (ids) and id <> all (coalesce(free, '{}'));
  begin
    perform mautic.apply_events(free);
  exception when others then
    update mautic.webhook_event set state = 'stored' where id = any (free);
  end;
  return null;
exception when others then
  raise warning 'events for a new link were not applied (%)', sqlstate;
  return null;
end
$$;

comment on function mautic.apply_known_events() is 'Applies to a newly linked lead what is known of its contact.';

create trigger mautic_link_insert
after insert on mautic.contact_link
for each row execute function mautic.apply_known_events();

create trigger mautic_link_update
after update of contact_id on mautic.contact_link
for each row when (old.contact_id is distinct from new.contact_id)
execute function mautic.apply_known_events();
