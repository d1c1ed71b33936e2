-- What an answer of Mautic taught.

-- What an answer of Mautic taught about a contact. Without the lease (p_is_held false) only what cannot
-- have been overtaken: that a contact is there, that it was merged, and whose it is where nothing was known.
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
  address constant text := mautic.normalize_address(p_outcome.address);
  shows_lead constant boolean := p_is_held and coalesce(p_outcome.shows_lead, false);
  -- What came to nothing says nothing of where the lead is.
  is_there constant boolean := p_outcome.result = 'done' or shows_lead;
  lead_address constant text := case when is_there then p_outcome.lead_address end;
  changed_at constant timestamptz := case when is_there then p_outcome.changed_at end;
  -- The contact is a newer lead's, which goes before this one: by its values, consent and enrolment.
  is_overtaken boolean := false;
  link record;
begin
  -- Leads whose contacts were merged in Mautic, or that were looked up there, are found to be one person
  -- only now, maybe in the wrong order: the newest that can be sent is sent once more, over this one.
  if shows_lead then
    insert into mautic.lead_change (priority, lead_id, cause, force, correlation_id, changed_at, queued_at)
    select 1, n.lead_id, 'replay', true, mautic.correlation_id(), n.changed_at, mautic.clock()
    from (
      select c.lead_id, c.lead_changed_at as changed_at
      from mautic.contact c where c.origin = p_origin and c.contact_id = seen
      union all
      select k.lead_id, k.changed_at
      from mautic.contact_link k where k.origin = p_origin and k.contact_id = seen and k.left_at is null
    ) n
    where n.lead_id <> p_outcome.lead_id and n.changed_at > p_outcome.changed_at
      and not exists (select from mautic.outbox o where o.lead_id = n.lead_id and o.state = 'dead')
      and exists (select from mautic.read_leads(array[n.lead_id]))
    order by n.changed_at desc
    limit 1;
    is_overtaken := found;
  end if;

  insert into mautic.contact as c (
    origin, contact_id, address, snapshot, refused, do_not_contact, lead_id, lead_changed_at
  )
  values (
    p_origin, seen, coalesce(address, ''),
    coalesce(case when p_is_held then p_outcome.snapshot end, '{}'),
    coalesce(case when p_is_held then p_outcome.refused end, '{}'),
    coalesce(case when p_is_held then p_outcome.do_not_contact end, '[]'),
    case when shows_lead then p_outcome.lead_id end, case when shows_lead then p_outcome.changed_at end
  )
  on conflict (origin, contact_id) do update
  set
    address = coalesce(case when p_is_held then nullif(excluded.address, '') end, c.address),
    snapshot = coalesce(case when p_is_held then p_outcome.snapshot end, c.snapshot),
    refused = coalesce(case when p_is_held then p_outcome.refused end, c.refused),
    do_not_contact = coalesce(case when p_is_held then p_outcome.do_not_contact end, c.do_not_contact),
    lead_id = case when is_overtaken then c.lead_id else coalesce(excluded.lead_id, c.lead_id) end,
    lead_changed_at = case
      when is_overtaken then c.lead_changed_at
      else coalesce(excluded.lead_changed_at, c.lead_changed_at)
    end,
    answered_at = mautic.clock();

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

  select k.contact_id, k.filled into link
  from mautic.contact_link k
  where k.origin = p_origin and k.lead_id = p_outcome.lead_id;

  insert into mautic.contact_link as k (origin, lead_id, contact_id, address, changed_at, filled)
  values (p_origin, p_outcome.lead_id, seen, lead_address, changed_at, coalesce(case when p_is_held then p_outcome.filled end, '{}'))
  on conflict (origin, lead_id) do update
  set
    contact_id = excluded.contact_id,
    address = coalesce(excluded.address, k.address),
    changed_at = greatest(excluded.changed_at, k.changed_at),
    left_at = null,
    filled = coalesce(p_outcome.filled, k.filled),
    linked_at = case when k.contact_id = excluded.contact_id then k.linked_at else excluded.linked_at end
  where p_is_held;

  if p_is_held and link.contact_id <> seen then
    perform mautic.leave_contact(p_origin, p_outcome.lead_id, link.contact_id, link.filled);
  end if;
end
$$;

comment on function mautic.record_contact(text, mautic.outcome, boolean) is
  'Stores what Mautic''s answer showed of a contact and links the lead to it; p_is_held: by the holder of its lease. '
  'What an outcome leaves out stays as it is stored.';
