-- Claim: due items are leased to a worker. Claims are serialised by an advisory lock held for the few
-- milliseconds of this transaction: `for update skip locked` alone cannot keep two leads of one person
-- apart (reproduced).

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

create function mautic.claim(
  p_worker_id uuid, p_origin text, p_limit int, p_item_lease_ms int, p_project text default ''
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
  permission text;
  batch_size int;
  unfolded boolean;
  found_items record;
  is_live boolean;
begin
  perform pg_advisory_xact_lock(mautic.claim_lock());
  if not exists (select from mautic.worker where id = p_worker_id and lease_expires_at > mautic.clock()) then
    return jsonb_build_object('state', 'lost', 'items', '[]'::jsonb, 'more', false);
  end if;
  permission := mautic.may_claim(p_worker_id, p_origin);
  if permission in ('paused', 'open') then
    return jsonb_build_object('state', permission, 'items', '[]'::jsonb, 'more', false);
  end if;
  -- A probe risks few attempts. A Mautic that was too slow for a batch gets no such batch again.
  batch_size := least(p_limit, case when permission = 'probe' then 5 end, (select s.batch_size from mautic.sending s));

  is_live := mautic.is_live(p_project, p_origin);
  unfolded := mautic.fold(5000);
  perform mautic.recover(p_origin);
  select * into found_items from mautic.pick(p_origin, batch_size, permission = 'probe', not is_live);

  update mautic.outbox o
  set
    state = 'leased', leased_by = p_worker_id, lease_token = token, leased_version = o.version, leased_at = mautic.clock(),
    lease_expires_at = mautic.clock() + p_item_lease_ms * interval '1 millisecond',
    person_keys = p.person_keys, attempted = p.attempted
  from unnest(found_items.picked) p
  where o.lead_id = p.lead_id;
  if cardinality(found_items.moot) > 0 then
    perform mautic.drop_moot(found_items.moot);
  end if;
  if permission = 'probe' and cardinality(found_items.picked) = 0 then
    perform mautic.end_probe(p_worker_id);
  end if;

  if not is_live and cardinality(found_items.picked) = 0 then
    return jsonb_build_object('state', 'not_live', 'items', '[]'::jsonb, 'more', false);
  end if;
  return jsonb_build_object(
    'state', 'claimed',
    'lease_token', token,
    'batch_size', batch_size,
    'field_map', mautic.fields_sent(),
    'items', mautic.leased_items(p_origin, token),
    'more', unfolded or found_items.more
  );
end
$$;

comment on function mautic.claim(uuid, text, int, int, text) is
  'Leases up to p_limit due items to a live worker for p_item_lease_ms. No person is out twice: not in '
  'this batch, not with another worker, not during the grace after an ambiguous outcome. Returns '
  '{state: claimed|lost|paused|open|not_live, lease_token, batch_size, items[], more}; batch_size: how many a request may hold; more: further items were due behind this batch. '
  'paused, open: nothing is sent just now (mautic.sending). not_live: nobody said that p_project may send there '
  '(mautic.go_live); only chosen leads are handed out.';

create function mautic.give_back(p_lease_token uuid)
returns int
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
as $$
declare
  given int;
begin
  update mautic.outbox o
  set state = 'pending', leased_by = null, lease_token = null, leased_version = null, leased_at = null, lease_expires_at = null, person_keys = null,
    attempted = case when o.ambiguous or o.removal is not null then o.attempted else '[]' end
  where o.state = 'leased' and o.lease_token = p_lease_token and o.lease_expires_at > mautic.clock();
  get diagnostics given = row_count;
  return given;
end
$$;

comment on function mautic.give_back(uuid) is
  'Puts back what was claimed and surely not sent, as if it had not been claimed. Returns how many items.';

-- The same for one lead whose payload a caller brings (upsert_contact): the same lock, keys and
-- lease. A row that was there already stays pending after its settle, because the table's own
-- state may be newer than what the caller sent.
create function mautic.claim_lead(
  p_holder uuid, p_origin text, p_lead_id text, p_address text, p_payload jsonb, p_correlation_id text, p_item_lease_ms int,
  p_project text default ''
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
  given_id constant text := mautic.lead_id_of(null, p_lead_id);
  payload jsonb;
  keys text[];
  attempted jsonb;
  permission text;
begin
  perform pg_advisory_xact_lock(mautic.claim_lock());
  permission := mautic.may_claim(p_holder, p_origin);
  if permission in ('paused', 'open') then
    return jsonb_build_object('state', permission, 'items', '[]'::jsonb, 'more', false);
  end if;
  if not mautic.is_live(p_project, p_origin) then
    perform mautic.end_probe(p_holder);
    return jsonb_build_object('state', 'not_live', 'items', '[]'::jsonb, 'more', false);
  end if;
  perform mautic.fold(5000);
  perform mautic.recover(p_origin);

  payload := mautic.payload_of_call(given_id, p_payload);
  select coalesce((select o.attempted from mautic.outbox o where o.lead_id = given_id), '[]') into attempted;
  keys := mautic.person_keys(p_origin, given_id, p_address, mautic.attempted_addresses(attempted));
  if exists (select from mautic.outbox o where o.person_keys is not null and o.person_keys && keys) then
    perform mautic.end_probe(p_holder);
    return jsonb_build_object('state', 'busy', 'items', '[]'::jsonb, 'more', false);
  end if;

  insert into mautic.outbox as o (
    lead_id, state, enqueued_at, changed_at, correlation_id, leased_by, lease_token,
    leased_version, leased_at, lease_expires_at, person_keys, attempted
  )
  values (
    given_id, 'leased', mautic.clock(), mautic.clock(), p_correlation_id, p_holder, token,
    1, mautic.clock(), mautic.clock() + p_item_lease_ms * interval '1 millisecond', keys,
    mautic.attempt(attempted, p_address, payload)
  )
  on conflict (lead_id) do update
  set
    state = 'leased', leased_by = excluded.leased_by, lease_token = excluded.lease_token,
    leased_version = 0, leased_at = excluded.leased_at, lease_expires_at = excluded.lease_expires_at,
    person_keys = excluded.person_keys, attempted = excluded.attempted, changed_at = excluded.changed_at, not_before = null,
    -- The caller says that this lead is there.
    removal = null;

  return jsonb_build_object(
    'state', 'claimed',
    'lease_token', token,
    'field_map', mautic.fields_sent(),
    'items', mautic.leased_items(p_origin, token, p_address, payload),
    'more', false
  );
end
$$;

comment on function mautic.claim_lead(uuid, text, text, text, jsonb, text, int, text) is
  'Leases one lead for a caller that brings its payload. Returns as mautic.claim(), or state busy '
  'while that person is with a worker or within a grace.';
