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

-- The contact shows values of a lead that is no longer its own: those that are left are sent again,
-- and may blank what the other had filled.
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

  perform mautic.queue_replay(
    array(
      select k.lead_id from mautic.contact_link k
      where k.origin = p_origin and k.contact_id = p_contact_id and k.lead_id <> p_lead_id
    ),
    false,
    mautic.correlation_id()
  );
end
$$;

comment on function mautic.leave_contact(text, text, bigint, text[]) is
  'A lead that had filled these aliases has another contact now: the other leads of the one it left are queued.';
