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

create function mautic.chosen_candidates()
returns text[]
language sql
volatile
security definer
set search_path = ''
as $$
  select array(select lead_id from mautic.outbox where state = 'pending' and chosen order by enqueued_at, lead_id limit 50);
$$;

comment on function mautic.chosen_candidates() is 'Up to 50 due leads that somebody named (mautic.send).';

create function mautic.pending_after(p_lane mautic.lane, p_enqueued_at timestamptz, p_lead_id text, p_limit int)
returns text[]
language sql
volatile
security definer
set search_path = ''
as $$
  select array(
    select lead_id
    from mautic.outbox
    where state = 'pending' and lane = p_lane and (enqueued_at, lead_id) > (p_enqueued_at, p_lead_id)
    order by enqueued_at, lead_id
    limit p_limit
  );
$$;

comment on function mautic.pending_after(mautic.lane, timestamptz, text, int) is
  'The next p_limit due leads of a lane behind this place in the order of sending.';

create type mautic.candidate as (
  lead_id text, lane mautic.lane, enqueued_at timestamptz, is_moot boolean, person_keys text[], attempted jsonb
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
    o.lead_id, o.lane, o.enqueued_at,
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

-- How many of a batch each lane gets while it has as many: by weights of 8, 4, 2 and 1 among those lanes that have
-- any. Where that is no whole number the clock decides, so that in batches of a few no lane waits for ever.
create function mautic.lane_quotas(p_limit int)
returns int[]
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  weights numeric[] := array[8, 4, 2, 1];
  lanes constant mautic.lane[] := enum_range(null::mautic.lane);
  fraction constant numeric := (extract(microseconds from mautic.clock())::bigint % 997) / 997.0;
begin
  for n in 1 .. cardinality(lanes) loop
    if not exists (select from mautic.outbox o where o.state = 'pending' and o.lane = lanes[n]) then
      weights[n] := 0;
    end if;
  end loop;
  return array(
    select case when w = 0 then 0 else floor(p_limit * w / (select sum(a) from unnest(weights) a) + fraction)::int end
    from unnest(weights) with ordinality as each(w, n) order by n);
end
$$;

comment on function mautic.lane_quotas(int) is 'The share of each lane, in their order, in a batch of p_limit.';

create type mautic.picking as (picked mautic.candidate[], moot text[], held text[], upto mautic.candidate, is_empty boolean);

comment on type mautic.picking is 'What a claim has picked so far. upto: the last item met of the lane; is_empty: the lane has no more.';

create function mautic.pick_among(p_origin text, p_lead_ids text[], p_most int, p_so_far mautic.picking)
returns mautic.picking
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  s mautic.picking := p_so_far;
  candidate mautic.candidate;
begin
  for candidate in select * from mautic.candidates(p_origin, p_lead_ids) loop
    exit when cardinality(s.picked) >= p_most;
    s.upto := candidate;
    continue when candidate.person_keys && s.held or candidate.is_moot is null;
    if candidate.is_moot then
      s.moot := s.moot || candidate.lead_id;
    else
      s.held := s.held || candidate.person_keys;
      s.picked := s.picked || candidate;
    end if;
  end loop;
  return s;
end
$$;

comment on function mautic.pick_among(text, text[], int, mautic.picking) is
  'Picks from these leads in this order until p_most are picked in all: no person twice and nobody who is out.';

-- From one lane, in windows, so that a run of leads of one person does not hide those behind it.
create function mautic.pick_from(p_origin text, p_lane mautic.lane, p_limit int, p_so_far mautic.picking)
returns mautic.picking
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  s mautic.picking := p_so_far;
  most constant int := cardinality(s.picked) + p_limit;
  lead_ids text[];
begin
  for round in 1 .. 40 loop
    exit when cardinality(s.picked) >= most or s.is_empty;
    lead_ids := mautic.pending_after(
      p_lane, coalesce((s.upto).enqueued_at, '-infinity'), coalesce((s.upto).lead_id, ''), greatest(p_limit, 50));
    if lead_ids = '{}' then
      s.is_empty := true;
    else
      s := mautic.pick_among(p_origin, lead_ids, most, s);
    end if;
  end loop;
  return s;
end
$$;

comment on function mautic.pick_from(text, mautic.lane, int, mautic.picking) is
  'Picks up to p_limit more from a lane, behind p_so_far.upto.';

-- Picks without writing.
create function mautic.pick(
  p_origin text, p_limit int, p_is_probe boolean, p_only_chosen boolean,
  out picked mautic.candidate[], out moot text[], out more boolean
)
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  s mautic.picking;
  upto mautic.candidate[] := array_fill(null::mautic.candidate, '{4}');
  quotas int[];
  lanes constant mautic.lane[] := enum_range(null::mautic.lane);
begin
  s.picked := array[]::mautic.candidate[];
  s.moot := array[]::text[];
  s.held := mautic.held_keys();
  more := false;
  if p_is_probe or p_only_chosen then
    s := mautic.pick_among(
      p_origin, case when p_only_chosen then mautic.chosen_candidates() else mautic.probe_candidates() end, p_limit, s);
    picked := s.picked;
    moot := s.moot;
    return;
  end if;

  -- First each lane its share, then what is left of the batch in the order of the lanes.
  quotas := mautic.lane_quotas(p_limit);
  for turn in 1 .. 2 loop
    more := false;
    for n in 1 .. cardinality(lanes) loop
      s.upto := upto[n];
      s.is_empty := quotas[n] = 0;
      s := mautic.pick_from(
        p_origin, lanes[n], least(p_limit - cardinality(s.picked), case when turn = 1 then quotas[n] else p_limit end), s);
      upto[n] := s.upto;
      more := more or (not s.is_empty and mautic.pending_after(
        lanes[n], coalesce((s.upto).enqueued_at, '-infinity'), coalesce((s.upto).lead_id, ''), 1) <> '{}');
    end loop;
    exit when not more or cardinality(s.picked) >= p_limit;
  end loop;
  picked := s.picked;
  moot := s.moot;
end
$$;

comment on function mautic.pick(text, int, boolean, boolean) is
  'Up to p_limit due items by lane and age, no person twice and nobody who is out; a probe in its own order, and what was chosen alone where nothing else may be sent. '
  'moot: items met on the way that nothing is to be sent for. more: further ones were due behind these.';
