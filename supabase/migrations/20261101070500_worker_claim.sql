-- Claim: due items are leased to a worker. Claims are
-- serialised by an advisory lock held for the few milliseconds of this transaction:
-- `for update skip locked` alone cannot keep two leads of one person apart (reproduced).

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

-- What a worker needs of the items it holds. p_address: where the caller brings a payload of its own.
create function mautic.leased_items(p_origin text, p_lease_token uuid, p_address text default null)
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
          when o.ambiguous or jsonb_array_length(o.attempted) > 1 then 'look_up'
          else 'create'
        end,
        'superseded', coalesce(c.lead_id <> o.lead_id and c.lead_changed_at > o.changed_at and not known.is_moving, false) and (
          not o.force
          -- Not even by force before a newer lead, unless that one is gone and cannot be sent.
          or exists (select from mautic.read_leads(array[c.lead_id]))
        ),
        'force', o.force,
        'ambiguous', o.ambiguous,
        'payload', l.payload,
        'address', l.address,
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
      order by o.priority, o.enqueued_at, o.lead_id
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
  'A due item as a claim looks at it. is_moot: nothing is to be sent for it, its row goes. attempted: with this attempt.';

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
  out picked mautic.candidate[], out moot text[], out more boolean
)
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  held text[] := mautic.held_keys();
  last mautic.candidate := row('', -1, timestamptz '-infinity', null, null, null);
  lead_ids text[];
  candidate mautic.candidate;
begin
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
      continue when candidate.person_keys && held;
      if candidate.is_moot then
        moot := moot || candidate.lead_id;
      else
        held := held || candidate.person_keys;
        picked := picked || candidate;
        exit picking when cardinality(picked) >= p_limit;
      end if;
    end loop;
  end loop;
  more := mautic.pending_after(last.priority, last.enqueued_at, last.lead_id, 1) <> '{}';
end
$$;

comment on function mautic.pick(text, int, boolean) is
  'Up to p_limit due items in the order of sending, no person twice and nobody who is out; a probe in its own order. '
  'moot: items met on the way that nothing is to be sent for. more: further items are due behind the last one met.';

-- Nothing to send: deleted leads whose contact is kept, and leads whose contact was deleted in Mautic
-- and is left alone. Told in the history where something had been asked for; their links stay.
create function mautic.drop_moot(p_lead_ids text[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into mautic.sync_history (lead_id, result, action, attempt, correlation_id)
  select o.lead_id, 'done', 'kept', o.attempts + 1, o.correlation_id
  from mautic.outbox o
  where o.lead_id = any (p_lead_ids)
    and (
      o.removal is not null
      or exists (select from mautic.contact_link k where k.lead_id = o.lead_id and k.left_at is not null)
    );
  select mautic.remember_change(p_lead_ids);
  -- An erasure whose person came back: its own link goes with its row.
  delete from mautic.contact_link where lead_id = any (p_lead_ids) and lead_id like 'erase:%';
  delete from mautic.outbox where lead_id = any (p_lead_ids);
$$;

comment on function mautic.drop_moot(text[]) is 'Ends items that nothing is to be sent for (mautic.candidate.is_moot).';

create function mautic.claim(p_worker_id uuid, p_origin text, p_limit int, p_item_lease_ms int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  token constant uuid := gen_random_uuid();
  leave text;
  batch_size int;
  unfolded boolean;
  found_items record;
begin
  perform pg_advisory_xact_lock(mautic.claim_lock());
  if not exists (select from mautic.worker where id = p_worker_id and lease_expires_at > mautic.clock()) then
    return jsonb_build_object('state', 'lost', 'items', '[]'::jsonb, 'more', false);
  end if;
  leave := mautic.may_claim(p_worker_id, p_origin);
  if leave in ('paused', 'open') then
    return jsonb_build_object('state', leave, 'items', '[]'::jsonb, 'more', false);
  end if;
  -- A probe risks few attempts. A Mautic that was too slow for a batch gets no such batch again.
  batch_size := least(p_limit, case when leave = 'probe' then 5 end, (select s.batch_size from mautic.sending s));

  unfolded := mautic.fold(5000);
  perform mautic.recover(p_origin);
  select * into found_items from mautic.pick(p_origin, batch_size, leave = 'probe');

  update mautic.outbox o
  set
    state = 'leased', leased_by = p_worker_id, lease_token = token, leased_version = o.version,
    lease_expires_at = mautic.clock() + p_item_lease_ms * interval '1 millisecond',
    person_keys = p.person_keys, attempted = p.attempted
  from unnest(found_items.picked) p
  where o.lead_id = p.lead_id;
  if cardinality(found_items.moot) > 0 then
    perform mautic.drop_moot(found_items.moot);
  end if;
  if leave = 'probe' and cardinality(found_items.picked) = 0 then
    perform mautic.end_probe(p_worker_id);
  end if;

  return jsonb_build_object(
    'state', 'claimed',
    'lease_token', token,
    'batch_size', batch_size,
    'items', mautic.leased_items(p_origin, token),
    'more', unfolded or found_items.more
  );
end
$$;

comment on function mautic.claim(uuid, text, int, int) is
  'Leases up to p_limit due items to a live worker for p_item_lease_ms. No person is out twice: not in '
  'this batch, not with another worker, not during the grace after an ambiguous outcome. Returns '
  '{state: claimed|lost|paused|open, lease_token, batch_size, items[], more}; batch_size: how many a request may hold; more: further items were due behind this batch. '
  'paused, open: nothing is sent just now (mautic.sending).';

-- The same for one lead whose payload a caller brings (upsert_contact): the same lock, keys and
-- lease. A row that was there already stays pending after its settle, because the table's own
-- state may be newer than what the caller sent.
create function mautic.claim_lead(
  p_holder uuid, p_origin text, p_lead_id text, p_address text, p_payload jsonb, p_correlation_id text, p_item_lease_ms int
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  token constant uuid := gen_random_uuid();
  keys text[];
  attempted jsonb;
  leave text;
begin
  perform pg_advisory_xact_lock(mautic.claim_lock());
  leave := mautic.may_claim(p_holder, p_origin);
  if leave in ('paused', 'open') then
    return jsonb_build_object('state', leave, 'items', '[]'::jsonb, 'more', false);
  end if;
  perform mautic.fold(5000);
  perform mautic.recover(p_origin);

  select coalesce((select o.attempted from mautic.outbox o where o.lead_id = p_lead_id), '[]') into attempted;
  keys := mautic.person_keys(p_origin, p_lead_id, p_address, mautic.attempted_addresses(attempted));
  if exists (select from mautic.outbox o where o.person_keys is not null and o.person_keys && keys) then
    perform mautic.end_probe(p_holder);
    return jsonb_build_object('state', 'busy', 'items', '[]'::jsonb, 'more', false);
  end if;

  insert into mautic.outbox as o (
    lead_id, state, enqueued_at, changed_at, correlation_id, leased_by, lease_token,
    leased_version, lease_expires_at, person_keys, attempted
  )
  values (
    p_lead_id, 'leased', mautic.clock(), mautic.clock(), p_correlation_id, p_holder, token,
    1, mautic.clock() + p_item_lease_ms * interval '1 millisecond', keys,
    mautic.attempt(attempted, p_address, p_payload)
  )
  on conflict (lead_id) do update
  set
    state = 'leased', leased_by = excluded.leased_by, lease_token = excluded.lease_token,
    leased_version = 0, lease_expires_at = excluded.lease_expires_at,
    person_keys = excluded.person_keys, attempted = excluded.attempted, changed_at = excluded.changed_at, not_before = null,
    -- The caller says that this lead is there.
    removal = null;

  return jsonb_build_object(
    'state', 'claimed',
    'lease_token', token,
    'items', mautic.leased_items(p_origin, token, p_address),
    'more', false
  );
end
$$;

comment on function mautic.claim_lead(uuid, text, text, text, jsonb, text, int) is
  'Leases one lead for a caller that brings its payload. Returns as mautic.claim(), or state busy '
  'while that person is with a worker or within a grace.';
