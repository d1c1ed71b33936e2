-- Whose news an event is.

create type mautic.event_lead as (event_id bigint, lead_id text);

comment on type mautic.event_lead is 'An event and a lead that it is about.';

-- Whom events are about: the leads linked to the contact, else those with the address; and with
-- them all leads that share an address with one of these, unless they are another contact: a lead
-- that has just moved to an address, or cannot, does not speak for those who were there.
create function mautic.match_events(p_event_ids bigint[])
returns setof mautic.event_lead
language sql
stable
security definer
set search_path = ''
as $$
  with event as materialized (
    select e.id, e.origin, e.contact_id, e.address
    from mautic.webhook_event e
    where e.id = any (p_event_ids)
  ), link as materialized (
    select e.id as event_id, k.lead_id
    from event e
    join mautic.contact_link k on k.origin = e.origin and k.contact_id = e.contact_id
  ), linked as materialized (
    -- A link outlives its lead: only leads that are there count.
    select link.event_id, l.lead_id, l.address
    from link
    join mautic.read_leads(array(select distinct link.lead_id from link)) l on l.lead_id = link.lead_id
  ), wanted as materialized (
    select linked.event_id, linked.address from linked where linked.address is not null
    union
    select e.id, e.address
    from event e
    where e.address is not null and not exists (select from linked where linked.event_id = e.id)
  )
  select linked.event_id, linked.lead_id from linked
  union
  select wanted.event_id, f.lead_id
  from wanted
  join mautic.find_leads(array(select distinct wanted.address from wanted)) f on f.address = wanted.address
  join event e on e.id = wanted.event_id
  where not exists (
    select from mautic.contact_link k
    where k.lead_id = f.lead_id and k.origin = e.origin and k.contact_id <> e.contact_id and k.left_at is null
      and exists (select from linked where linked.event_id = e.id)
  );
$$;

comment on function mautic.match_events(bigint[]) is
  'The leads that events are about: by linked contact before by address; all leads of that person.';

-- Whoever applies many one after another keeps each lead it wrote locked until all are done. Should it
-- wait for one meanwhile, an application that holds that one and comes to one of ours is told of a
-- deadlock: so these wait for nobody.
create function mautic.free_events(p_event_ids bigint[])
returns bigint[]
language sql
volatile
security definer
set search_path = ''
as $$
  with pair as materialized (
    select m.event_id, m.lead_id from mautic.match_events(p_event_ids) m
  ), free as materialized (
    select f.lead_id from mautic.free_leads(array(select distinct pair.lead_id from pair)) f(lead_id)
  )
  select array_agg(e.id order by e.place)
  from unnest(p_event_ids) with ordinality as e(id, place)
  where not exists (
    select from pair
    where pair.event_id = e.id and not exists (select from free where free.lead_id = pair.lead_id));
$$;

comment on function mautic.free_events(bigint[]) is
  'Those of these events whose leads nobody holds; locks these leads.';
