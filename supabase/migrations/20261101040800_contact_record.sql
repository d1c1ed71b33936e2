-- What an answer of Mautic taught. record_contact() at the end is the whole.

-- Leads whose contacts were merged in Mautic, or that were looked up there, are found to be one person
-- only now, maybe in the wrong order: the newest that can be sent is sent once more, over this one.
create function mautic.requeue_newer(p_origin text, p_outcome mautic.outcome)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into mautic.lead_change (lane, lead_ids, cause, force, correlation_id, changed_at, queued_at)
  select 'backfill', array[n.lead_id], 'replay', true, mautic.correlation_id(), n.changed_at, mautic.clock()
  from (
    select c.lead_id, c.lead_changed_at as changed_at
    from mautic.contact c where c.origin = p_origin and c.contact_id = p_outcome.contact_id
    union all
    select k.lead_id, k.changed_at
    from mautic.contact_link k
    where k.origin = p_origin and k.contact_id = p_outcome.contact_id and k.left_at is null
  ) n
  where n.lead_id <> p_outcome.lead_id and n.changed_at > p_outcome.changed_at
    and mautic.is_same_source(n.lead_id, p_outcome.lead_id)
    and not exists (select from mautic.outbox o where o.lead_id = n.lead_id and o.state = 'dead')
    and exists (select from mautic.read_leads(array[n.lead_id]))
  order by n.changed_at desc
  limit 1;
  return found;
end
$$;

comment on function mautic.requeue_newer(text, mautic.outcome) is
  'Is a newer lead the contact that this outcome shows? Then it is queued, by force, and the answer is true.';

-- Like all that is called for each lead, plpgsql: Postgres keeps its plans, and plans SQL functions anew at
-- each call (up to 17). What an outcome leaves out stays as it is stored. Without the lease (p_is_held false) what the contact
-- showed may have been overtaken: only that it is there is kept.
create function mautic.store_contact(p_origin text, p_outcome mautic.outcome, p_is_held boolean, p_shows_lead boolean)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into mautic.contact as c (
    origin, contact_id, address, snapshot, refused, do_not_contact, lead_id, lead_changed_at
  )
  values (
    p_origin, p_outcome.contact_id, coalesce(mautic.normalize_address(p_outcome.address), ''),
    coalesce(case when p_is_held then p_outcome.snapshot end, '{}'),
    coalesce(case when p_is_held then p_outcome.refused end, '{}'),
    coalesce(case when p_is_held then p_outcome.do_not_contact end, '[]'),
    case when p_shows_lead then p_outcome.lead_id end, case when p_shows_lead then p_outcome.changed_at end
  )
  on conflict (origin, contact_id) do update
  set
    address = coalesce(case when p_is_held then nullif(excluded.address, '') end, c.address),
    snapshot = coalesce(case when p_is_held then p_outcome.snapshot end, c.snapshot),
    refused = coalesce(case when p_is_held then p_outcome.refused end, c.refused),
    do_not_contact = coalesce(case when p_is_held then p_outcome.do_not_contact end, c.do_not_contact),
    lead_id = coalesce(excluded.lead_id, c.lead_id),
    lead_changed_at = coalesce(excluded.lead_changed_at, c.lead_changed_at),
    answered_at = mautic.clock();
end
$$;

comment on function mautic.store_contact(text, mautic.outcome, boolean, boolean) is
  'Stores a contact as an outcome shows it. p_shows_lead: by the values of the outcome''s own lead.';

create function mautic.link_lead(p_origin text, p_outcome mautic.outcome, p_is_held boolean)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  -- What came to nothing says nothing of where the lead is.
  is_there constant boolean :=
    p_outcome.result = 'done' or (p_is_held and coalesce(p_outcome.shows_lead, false));
  before record;
begin
  select k.contact_id, k.filled into before
  from mautic.contact_link k
  where k.origin = p_origin and k.lead_id = p_outcome.lead_id;

  insert into mautic.contact_link as k (origin, lead_id, contact_id, address, changed_at, filled)
  values (
    p_origin, p_outcome.lead_id, p_outcome.contact_id,
    case when is_there then p_outcome.lead_address end,
    case when is_there then p_outcome.changed_at end,
    coalesce(case when p_is_held then p_outcome.filled end, '{}')
  )
  on conflict (origin, lead_id) do update
  set
    contact_id = excluded.contact_id,
    address = coalesce(excluded.address, k.address),
    changed_at = greatest(excluded.changed_at, k.changed_at),
    left_at = null,
    filled = coalesce(p_outcome.filled, k.filled),
    linked_at = case when k.contact_id = excluded.contact_id then k.linked_at else excluded.linked_at end
  where p_is_held;

  if p_is_held and before.contact_id <> p_outcome.contact_id then
    perform mautic.leave_contact(p_origin, p_outcome.lead_id, before.contact_id, before.filled);
  end if;
end
$$;

comment on function mautic.link_lead(text, mautic.outcome, boolean) is
  'Links an outcome''s lead to its contact. Without the lease only where the lead has no link yet.';

create function mautic.record_contact(p_origin text, p_outcome mautic.outcome, p_is_held boolean)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  seen constant bigint := p_outcome.contact_id;
  asked constant bigint := p_outcome.asked_contact_id;
  shows_lead constant boolean := p_is_held and coalesce(p_outcome.shows_lead, false);
  -- The contact is a newer lead's, which goes before this one: by its values, consent and enrolment.
  is_overtaken constant boolean :=
    case when shows_lead then mautic.requeue_newer(p_origin, p_outcome) else false end;
begin
  perform mautic.store_contact(p_origin, p_outcome, p_is_held, shows_lead and not is_overtaken);
  -- Merged in Mautic: the old id answers with the survivor. Everybody linked to it moves along.
  if asked <> seen then
    perform mautic.merge_contact(p_origin, asked, seen);
    -- The survivor shows values of both, and maybe what was sent to the other with its answer lost. Nor
    -- were its leads kept from this one, as they are from now on: another worker may have sent one of
    -- them at the same time, before or after. Whichever is the newest is sent once more.
    perform mautic.doubt_contacts(
      p_origin,
      array_remove(array['contact:' || seen, case when not shows_lead then 'lead:' || p_outcome.lead_id end], null));
  end if;
  perform mautic.link_lead(p_origin, p_outcome, p_is_held);
end
$$;

comment on function mautic.record_contact(text, mautic.outcome, boolean) is
  'Stores what Mautic''s answer showed of a contact and links the lead to it; p_is_held: by the holder of its lease. '
  'What an outcome leaves out stays as it is stored.';
