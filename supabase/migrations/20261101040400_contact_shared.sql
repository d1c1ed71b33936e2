-- Several leads, one contact: which contact a lead is, and what becomes of one that a lead leaves.
--
-- A lead whose address changes takes its contact along: the edit is by id, so that no second contact
-- comes to be. Not where another lead of that contact still has the contact's address: then the
-- lead that moved leaves, to the contact of its new address or to a new one, and the contact stays
-- with whom it still belongs to. A merge in Mautic is no move: the leads of merged contacts keep
-- addresses of their own, and go on being one contact.

create function mautic.contact_of_lead(p_origin text, p_lead_id text, p_address text)
returns table (contact_id bigint, is_moving boolean)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  linked record;
begin
  select c.contact_id, c.address, coalesce(k.address <> p_address and c.address <> p_address, false) as moved
  into linked
  from mautic.contact_link k
  join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
  where k.origin = p_origin and k.lead_id = p_lead_id;

  if linked.contact_id is null or linked.moved and exists (
    select
    from mautic.read_leads(array(
      select k.lead_id from mautic.contact_link k
      where k.origin = p_origin and k.contact_id = linked.contact_id and k.lead_id <> p_lead_id
    )) other
    where other.address = linked.address
  ) then
    return query
      select c.contact_id, false
      from mautic.contact c
      where c.origin = p_origin and c.address = p_address
      order by c.contact_id
      limit 1;
  else
    return query select linked.contact_id, linked.moved;
  end if;
end
$$;

comment on function mautic.contact_of_lead(text, text, text) is
  'The known contact that a lead with this address is, no row if there is none. is_moving: the contact goes along to '
  'a new address of its lead.';

-- Who else is a contact is sent again. Dead letters wait for a person.
create function mautic.queue_others(p_origin text, p_lead_id text, p_contact_id bigint)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  others constant text[] := array(
    select k.lead_id
    from mautic.contact_link k
    where k.origin = p_origin and k.contact_id = p_contact_id and k.lead_id <> p_lead_id
      and not exists (select from mautic.outbox o where o.lead_id = k.lead_id and o.state = 'dead')
  );
begin
  if others <> '{}' then
    perform mautic.queue_replay(others, false, mautic.correlation_id());
  end if;
end
$$;

comment on function mautic.queue_others(text, text, bigint) is
  'Queues the other leads of a contact, but for dead letters: the contact shows values of a lead that it is not to show.';

-- They may blank what the lead that left had filled.
create function mautic.leave_contact(p_origin text, p_lead_id text, p_contact_id bigint, p_filled text[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.contact
  set lead_id = null, lead_changed_at = null
  where origin = p_origin and contact_id = p_contact_id and lead_id = p_lead_id;

  update mautic.contact_link
  set filled = array(select distinct alias from unnest(filled || p_filled) alias order by alias)
  where origin = p_origin and contact_id = p_contact_id and lead_id <> p_lead_id;

  perform mautic.queue_others(p_origin, p_lead_id, p_contact_id);
end
$$;

comment on function mautic.leave_contact(text, text, bigint, text[]) is
  'A lead that had filled these aliases has another contact now: the other leads of the one it left are queued.';

-- A newer lead goes before the others of its contact. Not one that cannot be sent: somebody who
-- mistyped a new address would keep the others from it for ever.
create function mautic.yield_contact(p_origin text, p_lead_id text)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  shown bigint;
begin
  update mautic.contact c
  set lead_id = null, lead_changed_at = null
  from mautic.contact_link k
  where k.origin = p_origin and k.lead_id = p_lead_id
    and c.origin = p_origin and c.contact_id = k.contact_id and c.lead_id = p_lead_id
  returning c.contact_id into shown;
  if found then
    perform mautic.queue_others(p_origin, p_lead_id, shown);
  end if;
end
$$;

comment on function mautic.yield_contact(text, text) is
  'A lead that its contact shows has become a dead letter: the other leads of the contact are queued.';
