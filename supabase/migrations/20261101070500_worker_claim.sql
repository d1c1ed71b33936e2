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
        'linked', k.contact_id is not null,
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
  held text[];
  picked int := 0;
  gone text[] := array[]::text[];
  unfolded boolean;
  window_ids text[];
  last_priority smallint := -1;
  last_enqueued_at timestamptz := timestamptz '-infinity';
  last_lead_id text := '';
  candidate record;
  leave text;
  batch_size int;
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

  select coalesce(array_agg(key), '{}') into held
  from mautic.outbox o, unnest(o.person_keys) key
  where o.person_keys is not null;

  -- Candidates in windows, so that a run of leads of one person does not hide those behind it.
  for round in 1 .. 40 loop
    if leave = 'probe' then
      exit when round > 1;
      window_ids := mautic.probe_candidates();
    else
      window_ids := array(
        select lead_id
        from mautic.outbox
        where state = 'pending'
          and (priority, enqueued_at, lead_id) > (last_priority, last_enqueued_at, last_lead_id)
        order by priority, enqueued_at, lead_id
        limit greatest(batch_size, 50)
      );
    end if;
    exit when window_ids = '{}';

    for candidate in
      select
        o.lead_id, o.priority, o.enqueued_at, o.ambiguous,
        l.lead_id is null and (o.removal is null or not mautic.may_remove(p_origin, o.lead_id, mautic.attempted_addresses(o.attempted))) as moot,
        l.lead_id is not null and not o.force and exists (
          select from mautic.contact_link k
          where k.origin = p_origin and k.lead_id = o.lead_id and k.left_at is not null
        ) as left_alone,
        mautic.person_keys(p_origin, o.lead_id, l.address, mautic.attempted_addresses(o.attempted)) as keys,
        case when l.lead_id is null then o.attempted else mautic.attempt(o.attempted, l.address, l.payload) end as attempted
      from unnest(window_ids) with ordinality w(lead_id, place)
      join mautic.outbox o on o.lead_id = w.lead_id
      left join mautic.read_leads(window_ids) l on l.lead_id = o.lead_id
      order by w.place
    loop
      last_priority := candidate.priority;
      last_enqueued_at := candidate.enqueued_at;
      last_lead_id := candidate.lead_id;
      continue when candidate.keys && held;
      if candidate.moot or candidate.left_alone then
        gone := gone || candidate.lead_id;
        continue;
      end if;
      held := held || candidate.keys;
      picked := picked + 1;
      update mautic.outbox
      set
        state = 'leased',
        leased_by = p_worker_id,
        lease_token = token,
        leased_version = version,
        lease_expires_at = mautic.clock() + p_item_lease_ms * interval '1 millisecond',
        person_keys = candidate.keys,
        attempted = candidate.attempted
      where lead_id = candidate.lead_id;
      exit when picked >= batch_size;
    end loop;
    exit when picked >= batch_size;
  end loop;

  -- Deleted leads whose contact is kept, and leads whose contact was deleted and is left alone:
  -- nothing to send. Their links stay.
  if cardinality(gone) > 0 then
    perform mautic.note_kept(gone);
    delete from mautic.outbox where lead_id = any (gone);
  end if;

  if leave = 'probe' and picked = 0 then
    perform mautic.end_probe(p_worker_id);
  end if;

  return jsonb_build_object(
    'state', 'claimed',
    'lease_token', token,
    'batch_size', batch_size,
    'items', mautic.leased_items(p_origin, token),
    'more', unfolded or exists (
      select from mautic.outbox
      where state = 'pending'
        and (priority, enqueued_at, lead_id) > (last_priority, last_enqueued_at, last_lead_id)
    )
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
