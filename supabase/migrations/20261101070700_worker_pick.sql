-- Which items a claim takes: due ones in the order of sending, no person twice, and nobody who is out.

-- Who is out now, or within a grace: nobody else with one of these keys is claimed.
create function mautic.held_keys()
returns text[]
language sql
volatile
security definer
set search_path = ''
as $$
  select coalesce(array_agg(key), '{}')
  from mautic.outbox o, unnest(o.person_keys) key
  where o.person_keys is not null;
$$;

comment on function mautic.held_keys() is 'The person keys (mautic.person_keys) of all items that are out, or in the grace after an ambiguous outcome.';

-- With whom to find out whether Mautic is back. A lead that was tried and failed may be the one that
-- fails: were it tried first again and again, a few of them would keep the circuit open for ever.
create function mautic.probe_candidates()
returns text[]
language sql
volatile
security definer
set search_path = ''
as $$
  select array(
    select lead_id from mautic.outbox where state = 'pending' order by attempts, enqueued_at desc, lead_id limit 50
  );
$$;

comment on function mautic.probe_candidates() is
  'Up to 50 due leads, those first that were tried least, of these the newest: a probe claims in this order.';

create function mautic.pending_after(p_priority smallint, p_enqueued_at timestamptz, p_lead_id text, p_limit int)
returns text[]
language sql
volatile
security definer
set search_path = ''
as $$
  select array(
    select lead_id
    from mautic.outbox
    where state = 'pending' and (priority, enqueued_at, lead_id) > (p_priority, p_enqueued_at, p_lead_id)
    order by priority, enqueued_at, lead_id
    limit p_limit
  );
$$;

comment on function mautic.pending_after(smallint, timestamptz, text, int) is
  'The next p_limit due leads behind this place in the order of sending.';

create type mautic.candidate as (
  lead_id text, priority smallint, enqueued_at timestamptz, is_moot boolean, person_keys text[], attempted jsonb
);

comment on type mautic.candidate is
  'A due item as a claim looks at it. is_moot: nothing is to be sent for it, its row goes; null: that cannot be told yet. attempted: with this attempt.';

create function mautic.candidates(p_origin text, p_lead_ids text[])
returns setof mautic.candidate
language sql
volatile
security definer
set search_path = ''
as $$
  select
    o.lead_id, o.priority, o.enqueued_at,
    case
      -- Whoever else has its address may be among the changes that nobody has seen.
      when l.lead_id is null and o.removal is not null and exists (select from mautic.lead_change) then null
      -- Deleted, and there is no contact to remove, or somebody else is it.
      when l.lead_id is null then
        o.removal is null or not mautic.may_remove(p_origin, o.lead_id, mautic.attempted_addresses(o.attempted))
      -- The contact was deleted in Mautic and is left alone.
      else not o.force and exists (
        select from mautic.contact_link k
        where k.origin = p_origin and k.lead_id = o.lead_id and k.left_at is not null
      )
    end,
    mautic.person_keys(p_origin, o.lead_id, l.address, mautic.attempted_addresses(o.attempted)),
    case when l.lead_id is null then o.attempted else mautic.attempt(o.attempted, l.address, l.payload) end
  from unnest(p_lead_ids) with ordinality w(lead_id, place)
  join mautic.outbox o on o.lead_id = w.lead_id
  left join mautic.read_leads(p_lead_ids) l on l.lead_id = o.lead_id
  order by w.place;
$$;

comment on function mautic.candidates(text, text[]) is 'These due leads in this order, as a claim looks at them.';

-- Picks without writing. In windows, so that a run of leads of one person does not hide those behind it.
create function mautic.pick(
  p_origin text, p_limit int, p_is_probe boolean,
  out picked mautic.candidate[], out moot text[], out last mautic.candidate
)
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  held text[] := mautic.held_keys();
  lead_ids text[];
  candidate mautic.candidate;
begin
  last := row('', -1, timestamptz '-infinity', null, null, null);
  picked := array[]::mautic.candidate[];
  moot := array[]::text[];
  <<picking>>
  for round in 1 .. case when p_is_probe then 1 else 40 end loop
    lead_ids := case
      when p_is_probe then mautic.probe_candidates()
      else mautic.pending_after(last.priority, last.enqueued_at, last.lead_id, greatest(p_limit, 50))
    end;
    exit when lead_ids = '{}';
    for candidate in select * from mautic.candidates(p_origin, lead_ids) loop
      last := candidate;
      continue when candidate.person_keys && held or candidate.is_moot is null;
      if candidate.is_moot then
        moot := moot || candidate.lead_id;
      else
        held := held || candidate.person_keys;
        picked := picked || candidate;
        exit picking when cardinality(picked) >= p_limit;
      end if;
    end loop;
  end loop;
end
$$;

comment on function mautic.pick(text, int, boolean) is
  'Up to p_limit due items in the order of sending, no person twice and nobody who is out; a probe in its own order. '
  'moot: items met on the way that nothing is to be sent for. last: the last one met.';
