-- Who a lead is, for the rule that no person is out twice.

create function mautic.attempted_addresses(p_attempted jsonb)
returns text[]
language sql
immutable
security definer
set search_path = ''
as $$
  select coalesce(array_agg(distinct each ->> 'address'), '{}')
  from jsonb_array_elements(p_attempted) each
  where each ->> 'address' is not null;
$$;

-- Who a lead is, for the rule that no person is out twice: the address it has, those that attempts of
-- unknown outcome used, the address and id of the contact it is linked to, and the
-- contact that has its address.
create function mautic.person_keys(p_origin text, p_lead_id text, p_address text, p_attempted text[])
returns text[]
language sql
stable
security definer
set search_path = ''
as $$
  select array_agg(distinct key)
  from (
    -- What is no address is nobody's: it is never sent, and may stand in many leads.
    select 'address:' || p_address as key where p_address like '%_@_%'
    union all
    select 'address:' || attempted from unnest(p_attempted) attempted
    union all
    select unnest(array['address:' || c.address, 'contact:' || c.contact_id])
    from mautic.contact_link k
    join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
    where k.origin = p_origin and k.lead_id = p_lead_id
    union all
    select 'contact:' || c.contact_id
    from mautic.contact c
    where c.origin = p_origin and c.address = any (p_attempted || p_address)
    union all
    select 'lead:' || p_lead_id
  ) keys;
$$;

comment on function mautic.person_keys(text, text, text, text[]) is
  'The keys under which a lead''s person is known: address:…, contact:…, lead:….';
