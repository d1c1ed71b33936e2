-- Erasure of a person (GDPR, article 17). Rows of the leads table are the application's: they hold
-- more than we know of and others refer to them. So while there are any the erasure is refused,
-- unless the caller says that they go too; with a lead left, its next edit would create the
-- contact in Mautic anew.

-- All lead ids, of leads that exist or existed, that are this person.
create function mautic.leads_of(p_address text)
returns text[]
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(array_agg(distinct lead_id), '{}')
  from (
    select f.lead_id from mautic.find_leads(array[p_address]) f
    union all
    -- Also of a row that vanished while no trigger looked.
    select s.lead_id from mautic.lead_state s where s.address = p_address
    union all
    select k.lead_id
    from mautic.contact c
    join mautic.contact_link k on k.origin = c.origin and k.contact_id = c.contact_id
    where c.address = p_address
    union all
    select o.lead_id from mautic.outbox o where p_address = any (mautic.attempted_addresses(o.attempted))
  ) known;
$$;

create function mautic.erase_inbox(p_address text, p_lead_ids text[])
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  deliveries bigint;
  events bigint;
begin
  -- A delivery may tell of several people: its body goes as a whole, their events stay.
  delete from mautic.webhook_delivery d
  where position(p_address in lower(d.body)) > 0
    or d.id in (
      select e.delivery_id
      from mautic.webhook_event e
      left join mautic.contact c on c.origin = e.origin and c.contact_id = e.contact_id
      where p_address in (e.address, c.address)
    );
  get diagnostics deliveries = row_count;
  delete from mautic.webhook_event e
  where e.address = p_address
    or (e.origin, e.contact_id) in (select c.origin, c.contact_id from mautic.contact c where c.address = p_address);
  get diagnostics events = row_count;
  delete from mautic.subscription s where s.lead_id = any (p_lead_ids);
  return jsonb_build_object('webhook_deliveries', deliveries, 'webhook_events', events);
end
$$;

-- Leaves the queued deletion one link to each Mautic: the contact may have another address there.
create function mautic.erase_contacts(p_address text, p_lead_ids text[], p_operation text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  doomed jsonb;
  contacts bigint;
  links bigint;
  enrollments bigint;
  shared record;
begin
  -- A contact with another address that is another lead's, too, is that one's: who took the address on
  -- without Mautic's leave (duplicate_contact) is linked to it all the same.
  for shared in
    select k.origin, k.lead_id, k.contact_id, k.filled
    from mautic.contact_link k
    join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
    where k.lead_id = any (p_lead_ids) and c.address <> p_address
      and exists (
        select from mautic.read_leads(array(
          select o.lead_id from mautic.contact_link o
          where o.origin = k.origin and o.contact_id = k.contact_id and o.lead_id <> all (p_lead_ids)
        ))
      )
  loop
    perform mautic.leave_contact(shared.origin, shared.lead_id, shared.contact_id, shared.filled);
    delete from mautic.contact_link k where k.origin = shared.origin and k.lead_id = shared.lead_id;
  end loop;

  select coalesce(jsonb_agg(distinct jsonb_build_object('origin', t.origin, 'contact_id', t.contact_id)), '[]') into doomed
  from (
    select c.origin, c.contact_id from mautic.contact c where c.address = p_address
    union all
    select k.origin, k.contact_id from mautic.contact_link k where k.lead_id = any (p_lead_ids)
  ) t;

  delete from mautic.enrollment e
  using jsonb_to_recordset(doomed) as d(origin text, contact_id bigint)
  where e.origin = d.origin and e.contact_id = d.contact_id;
  get diagnostics enrollments = row_count;
  delete from mautic.do_not_contact e
  using jsonb_to_recordset(doomed) as d(origin text, contact_id bigint)
  where e.origin = d.origin and e.contact_id = d.contact_id;
  delete from mautic.contact_link k
  using jsonb_to_recordset(doomed) as d(origin text, contact_id bigint)
  where k.origin = d.origin and k.contact_id = d.contact_id;
  get diagnostics links = row_count;
  delete from mautic.contact c
  using jsonb_to_recordset(doomed) as d(origin text, contact_id bigint)
  where c.origin = d.origin and c.contact_id = d.contact_id;
  get diagnostics contacts = row_count;

  insert into mautic.contact_link (origin, lead_id, contact_id)
  select distinct on (d.origin) d.origin, p_operation, d.contact_id
  from jsonb_to_recordset(doomed) as d(origin text, contact_id bigint)
  order by d.origin, d.contact_id;
  return jsonb_build_object('contacts', contacts, 'contact_links', links, 'enrollments', enrollments);
end
$$;

-- Erasure of a person (GDPR, article 17). Rows of the leads table are the application's: they hold
-- more than we know of and others refer to them. So while there are any the erasure is refused,
-- unless the caller says that they go too; with a lead left, its next edit would create the
-- contact in Mautic anew.
create function mautic.erase(address text, delete_leads boolean default false)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  given constant text := mautic.normalize_address(erase.address);
  operation constant text := 'erase:' || gen_random_uuid();
  correlation constant text := mautic.correlation_id();
  ids text[];
  live text[];
  busy_until timestamptz;
  n bigint;
  report jsonb := jsonb '{}';
begin
  if given is null or given !~ '^[^@\s]+@[^@\s]+$' then
    raise exception 'mautic.erase() needs an e-mail address.' using errcode = 'invalid_parameter_value';
  end if;
  -- No worker takes one of the rows meanwhile.
  perform pg_advisory_xact_lock(mautic.claim_lock());
  while mautic.fold(5000) loop end loop;

  ids := mautic.leads_of(given);
  select coalesce(array_agg(l.lead_id), '{}') into live from mautic.read_leads(ids) l;
  if cardinality(live) > 0 and not delete_leads then
    raise exception '% lead(s) are this person: %. Delete or anonymise them first, or: '
      'select mautic.erase(…, delete_leads => true)', cardinality(live), array_to_string(live[1:5], ', ')
      using errcode = 'dependent_objects_still_exist';
  end if;
  if exists (select from mautic.outbox o where o.state = 'leased' and ('address:' || given = any (o.person_keys) or o.lead_id = any (ids))) then
    raise exception 'This person is with a worker just now. Try again in a moment.'
      using errcode = 'object_in_use';
  end if;
  -- Mautic may still be at work on a request that lost its answer: the deletion comes after that.
  select max(o.not_before) into busy_until
  from mautic.outbox o
  where o.person_keys is not null and ('address:' || given = any (o.person_keys) or o.lead_id = any (ids));

  report := report || jsonb_build_object('leads', case when delete_leads then mautic.delete_leads(live) else 0 end);
  report := report || jsonb_build_object('lead_activity', mautic.erase_activity(ids));
  delete from mautic.lead_state s where s.lead_id = any (ids);
  delete from mautic.stage_change c where c.lead_id = any (ids);
  insert into mautic.erased (lead_hash)
  select sha256(convert_to(id, 'UTF8')) from unnest(ids) id
  on conflict (lead_hash) do update set erased_at = excluded.erased_at;
  update mautic.lead_change c set (lead_ids, times) = (
    select coalesce(array_agg(l.id), '{}'), array_agg(l.changed_at)
    from unnest(c.lead_ids, c.times) l(id, changed_at) where l.id <> all (ids)
  ) where c.lead_ids && ids;
  delete from mautic.lead_change c where c.lead_ids = '{}';
  delete from mautic.outbox o where o.lead_id = any (ids);
  get diagnostics n = row_count;
  report := report || jsonb_build_object('outbox', n);
  delete from mautic.sync_history h where h.lead_id = any (ids);
  get diagnostics n = row_count;
  report := report || jsonb_build_object('sync_history', n)
    || mautic.erase_inbox(given, ids) || mautic.erase_contacts(given, ids, operation);

  insert into mautic.outbox (
    lead_id, state, not_before, correlation_id, enqueued_at, changed_at, removal, attempted
  )
  values (
    operation, case when busy_until > mautic.clock() then 'waiting' else 'pending' end,
    case when busy_until > mautic.clock() then busy_until end,
    correlation, mautic.clock(), mautic.clock(), 'delete_contact',
    jsonb_build_array(jsonb_build_object('address', given, 'payload', null))
  );
  perform mautic.ring_doorbell(correlation, 1);
  return report || jsonb_build_object('mautic', 'queued', 'operation', operation);
end
$$;

comment on function mautic.erase(text, boolean) is
  'Erases a person by address: activity, history, contacts, links, enrolments, received webhooks, and, queued, all '
  'contacts with the address in Mautic. Refused while leads have the address, unless delete_leads => true. Returns counts '
  'and the operation: select * from mautic.lead_history(operation) tells when Mautic has done it.';
