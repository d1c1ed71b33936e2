-- The guarantee behind receive_delivery, run by cron: what could not be applied on receipt.

create function mautic.apply_pending_deliveries(p_limit int default 1000)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ids bigint[];
begin
  select array_agg(w.id) into ids
  from (
    select id from mautic.webhook_event where state = 'stored' order by id limit p_limit
    for update skip locked
  ) w;
  return mautic.try_events(ids, true);
end
$$;

comment on function mautic.apply_pending_deliveries(int) is
  'Applies stored events that could not be applied on receipt; returns how many leads got another status.';

-- Events of people who were nobody's lead then. The link finds most (below); a lead that is never
-- linked (no Mautic settings, a dead letter) is found here, by its address.
create function mautic.apply_pending_events(p_limit int default 1000)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ids bigint[];
begin
  -- Leads are looked for in one go: pending are all who opted out in Mautic and are no leads.
  select array_agg(w.id) into ids
  from (
    select distinct e.id
    from mautic.find_leads(array(
      select distinct p.address from mautic.webhook_event p where p.state = 'pending' and p.address is not null
    )) f
    join mautic.webhook_event e on e.state = 'pending' and e.address = f.address
    limit p_limit
  ) w;
  return mautic.try_events(ids, true);
end
$$;

comment on function mautic.apply_pending_events(int) is
  'Applies pending events whose address is a lead''s by now; returns how many leads got another status.';
