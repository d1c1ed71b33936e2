-- What a worker is told of an item.

-- One more attempt. The same once more, as in an outage, adds nothing.
create function mautic.attempt(p_attempted jsonb, p_address text, p_payload jsonb)
returns jsonb
language sql
immutable
security definer
set search_path = ''
as $$
  select case when p_attempted -> -1 = attempt then p_attempted else p_attempted || attempt end
  from jsonb_build_object('address', p_address, 'payload', p_payload) attempt;
$$;

-- Several sources, one person: of each field the source of the lowest rank that has a value is heard, of each source
-- its newest lead; of the item's own source that is the item (superseded). A blank is silence.
create function mautic.merged_payload(p_origin text, p_contact_id bigint, p_lead_id text, p_payload jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  own constant text := (mautic.source_of(p_lead_id)).source;
  merged jsonb;
begin
  if p_payload is null or p_contact_id is null or (select count(*) from mautic.attachment) < 2 then
    return p_payload;
  end if;
  with other as (
    select distinct on (r.source) r.source, r.payload
    from mautic.contact_link k
    join mautic.read_leads(array(
      select l.lead_id from mautic.contact_link l where l.origin = p_origin and l.contact_id = p_contact_id
    )) r on r.lead_id = k.lead_id
    left join mautic.outbox o on o.lead_id = k.lead_id
    where k.origin = p_origin and k.contact_id = p_contact_id and r.source <> own
    order by r.source, coalesce(o.changed_at, k.changed_at) desc nulls last, k.lead_id
  ), heard as (
    select a.rank, s.source, s.payload
    from (select own as source, p_payload as payload union all select * from other) s
    join mautic.attachment a on a.source = s.source
  ), silent as (
    -- Whoever goes before says something of it, and cannot be read just now.
    select h.rank, n.name, n.name in (select jsonb_array_elements_text(h.payload -> 'missing')) as is_missing
    from heard h cross join lateral jsonb_array_elements_text((h.payload -> 'missing') || (h.payload -> 'unreadable')) n(name)
  ), field as (
    select distinct on (f.key) f.key, f.value
    from heard h cross join lateral jsonb_each(h.payload -> 'fields') f
    where f.value not in ('null', '""') and not exists (select from silent n where n.name = f.key and n.rank < h.rank)
    order by f.key, h.rank, h.source
  ), role as (
    select distinct on (r.key) r.key, r.value
    from heard h cross join lateral jsonb_each(jsonb_build_object('stage', h.payload -> 'stage', 'score', h.payload -> 'score')) r
    where r.value <> 'null'
    order by r.key, h.rank, h.source
  )
  select p_payload || coalesce((select jsonb_object_agg(r.key, r.value) from role r), '{}') || jsonb_build_object(
    'fields', ((p_payload -> 'fields') - array(
      select n.name from silent n join heard h on h.source = own and n.rank < h.rank
    )) || coalesce((select jsonb_object_agg(f.key, f.value) from field f), '{}'),
    'missing', (select coalesce(jsonb_agg(distinct m.name), '[]') from (
      select jsonb_array_elements_text(p_payload -> 'missing') as name
      union all
      select n.name from silent n join heard h on h.source = own and n.rank < h.rank where n.is_missing and p_payload -> 'fields' ? n.name
    ) m))
  into merged;
  return merged;
end
$$;

comment on function mautic.merged_payload(text, bigint, text, jsonb) is 'A lead''s payload with what the other sources say of its person.';

-- What a worker needs of the items it holds. p_address, p_payload: where the caller brings them.
create function mautic.leased_items(p_origin text, p_lease_token uuid, p_address text default null, p_payload jsonb default null)
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'lead_id', o.lead_id,
        'attempt', o.attempts + 1,
        'failed_alone', o.failed_alone,
        'operation', case
          when o.removal is not null and l.lead_id is null then 'remove'
          -- Known by its address only: it may have another one in Mautic by now.
          when c.contact_id is not null and k.contact_id is distinct from c.contact_id then 'look_up'
          when c.contact_id is not null then 'edit'
          when o.fill or o.withdraws then 'look_up'
          when o.ambiguous or jsonb_array_length(o.attempted) > 1 then 'look_up'
          else 'create'
        end,
        'superseded', coalesce(
          c.lead_id <> o.lead_id and c.lead_changed_at > o.changed_at and not known.is_moving and mautic.is_same_source(c.lead_id, o.lead_id),
          false
        ) and (
          not o.force
          -- Not even by force before a newer lead, unless that one is gone and cannot be sent.
          or exists (select from mautic.read_leads(array[c.lead_id]))
        ),
        'force', o.force,
        'fill', o.fill and k.contact_id is null,
        'withdraws', o.withdraws,
        'ambiguous', o.ambiguous,
        'payload', mautic.merged_payload(p_origin, c.contact_id, o.lead_id, coalesce(p_payload, l.payload)),
        'address', coalesce(p_address, l.address),
        -- Not the one that this lease is: its payload stands beside.
        'attempted', case when l.lead_id is null then o.attempted else o.attempted - -1 end,
        'email_status', l.email_status,
        'contact_id', coalesce(c.contact_id, case when o.removal is not null and l.lead_id is null then k.contact_id end),
        'removal', o.removal,
        'snapshot', coalesce(c.snapshot, '{}'),
        'refused', coalesce(c.refused, '{}'),
        -- What it filled on a contact that it leaves is no business of the next one.
        'filled', to_jsonb(coalesce(case when k.contact_id = c.contact_id then k.filled end, '{}')),
        'do_not_contact', coalesce(c.do_not_contact, '[]'),
        'enrolled_campaigns', to_jsonb(array(
          select e.campaign_id from mautic.enrollment e
          where e.origin = p_origin and e.contact_id = c.contact_id and e.state = 'confirmed'
        )),
        'correlation_id', o.correlation_id,
        'changed_at', o.changed_at
      )
      order by o.lane, o.enqueued_at, o.lead_id
    ),
    '[]'
  )
  from mautic.outbox o
  left join mautic.read_leads(
    array(select h.lead_id from mautic.outbox h where h.lease_token = p_lease_token and h.state = 'leased')
  ) l on l.lead_id = o.lead_id
  left join mautic.contact_link k on k.origin = p_origin and k.lead_id = o.lead_id
  left join lateral mautic.contact_of_lead(p_origin, o.lead_id, coalesce(p_address, l.address)) known on true
  left join mautic.contact c on c.origin = p_origin and c.contact_id = known.contact_id
  where o.lease_token = p_lease_token and o.state = 'leased';
$$;

comment on function mautic.leased_items(text, uuid, text, jsonb) is 'The items under a lease as workers take them (shared/database/queue.ts).';

-- How the fields of the items are to be sent.
create function mautic.fields_sent()
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select coalesce(
    jsonb_agg(
      jsonb_build_object(
        'alias', f.alias, 'type', f.type, 'part', f.part, 'when_blank', f.when_blank, 'too_long', f.too_long)
      order by f.place, f.alias),
    '[]')
  from mautic.read_fields() f
$$;

comment on function mautic.fields_sent() is '[{alias, type, part, when_blank, too_long}] of mautic.field_map, in the order of sending.';

-- What a caller of upsert_contact says, in the shape in which leads are read. A key that is absent says nothing.
create function mautic.payload_of_call(p_lead_id text, p_payload jsonb)
returns jsonb
language sql
stable
security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'id', p_lead_id, 'email', p_payload #> '{contact,email}', 'stage', p_payload -> 'crm_status',
    'consent', p_payload #> '{consent,marketing_opt_in}', 'score', p_payload #> '{ml,score}',
    'fields', coalesce((
      select jsonb_object_agg(f.alias, case when f.part = '{id}' then to_jsonb(p_lead_id) else p_payload #> f.part end)
      from mautic.read_fields() f
      where p_payload #> f.part is not null), '{}'),
    'unreadable', jsonb '[]', 'missing', jsonb '[]')
$$;

comment on function mautic.payload_of_call(text, jsonb) is 'The payload of upsert_contact as {id, email, stage, consent, score, fields, unreadable, missing}, by mautic.field_map.part.';
