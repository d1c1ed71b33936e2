-- Settle: the outcomes of a batch in one call.

-- A worker that wakes up late must not bring back what was erased.
create table mautic.erased (
  lead_hash bytea primary key,
  erased_at timestamptz not null default mautic.clock()
);

comment on table mautic.erased is
  'Leads that mautic.erase() removed, as SHA-256 of their id: their late answers are not recorded. Purged after a day.';

alter table mautic.erased enable row level security;

-- What became of one leased item, as the worker tells it.
create type mautic.outcome as (
  lead_id text,
  result text,
  contact_id bigint,
  address text,
  lead_address text,
  snapshot jsonb,
  refused jsonb,
  do_not_contact jsonb,
  filled text[],
  shows_lead boolean,
  changed_at timestamptz,
  asked_contact_id bigint,
  removed_contact_ids bigint[],
  delay_ms bigint,
  failed_alone boolean,
  may_be_done boolean,
  error_code text,
  error_message text
);

comment on type mautic.outcome is
  'What became of a leased item. contact_id to filled: what Mautic''s answer showed of the contact; address is the '
  'contact''s, lead_address the one that the lead was sent with; shows_lead: the answer shows this very lead; '
  'asked_contact_id: the id that was asked for, when another one came back. delay_ms: of retry, postponed and ambiguous.';

create function mautic.settle(
  p_origin text, p_lease_token uuid, p_outcomes jsonb, p_halted text default null, p_answered boolean default false,
  p_batch_size int default null
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  outcome mautic.outcome;
  row_version bigint;
  leased bigint;
  keys text[];
  is_held boolean;
  is_forced boolean;
  settled int := 0;
  lost text[] := array[]::text[];
  closes boolean;
  is_left boolean;
  may_be_done boolean;
begin
  -- Before any outbox row is locked: a probing claim takes the two in the same order.
  closes := mautic.note_run(p_origin, p_halted, p_answered);
  update mautic.sending set batch_size = p_batch_size where batch_size is distinct from p_batch_size and p_batch_size is not null;
  perform mautic.note_history(p_lease_token, p_outcomes);

  for outcome in
    select * from jsonb_populate_recordset(null::mautic.outcome, p_outcomes)
    order by lead_id
  loop
    select o.version, o.leased_version, o.person_keys, o.force into row_version, leased, keys, is_forced
    from mautic.outbox o
    where o.lead_id = outcome.lead_id and o.state = 'leased' and o.lease_token = p_lease_token
      and o.lease_expires_at > mautic.clock()
    for update;
    is_held := found;

    -- Which contact a lead is stays true whoever asked: recorded even when the lease or the lead is
    -- gone. What the contact showed is not: without the lease somebody else may have written since.
    if outcome.contact_id is not null and (
      is_held
      or not exists (
        select from mautic.erased e where e.lead_hash = sha256(convert_to(outcome.lead_id, 'UTF8'))
      )
    ) then
      perform mautic.record_contact(p_origin, outcome, is_held);
    end if;
    if outcome.removed_contact_ids is not null or (outcome.result = 'done' and outcome.lead_id like 'erase:%') then
      perform mautic.forget_contacts(
        p_origin, outcome.lead_id, coalesce(outcome.removed_contact_ids, array[]::bigint[]));
    end if;
    if not is_held then
      lost := lost || outcome.lead_id;
      continue;
    end if;
    settled := settled + 1;

    -- A 500 may come after the work was done, whatever is answered to the next try.
    may_be_done := coalesce(outcome.may_be_done or outcome.error_code in ('server_failed', 'mautic_failed'), false);
    if outcome.snapshot is null and (outcome.result = 'ambiguous' or may_be_done) then
      perform mautic.doubt_contacts(p_origin, keys);
    end if;

    -- Left alone is who was that contact. A lead that only has its address is new: it gets its own.
    is_left := false;
    if outcome.result = 'gone' then
      is_left := mautic.note_contact_deleted(p_origin, outcome.asked_contact_id, is_forced) = 'leave';
      is_left := is_left and exists (
        select from mautic.contact_link k
        where k.origin = p_origin and k.lead_id = outcome.lead_id and k.left_at is not null
      );
    end if;

    if is_left then
      perform mautic.remember_change(array[outcome.lead_id]);
    end if;
    if (outcome.result = 'done' or is_left) and row_version = leased then
      delete from mautic.outbox where lead_id = outcome.lead_id;
    elsif outcome.result in ('done', 'gone') or (outcome.result = 'dead' and row_version <> leased) then
      -- Changed while it was out: once more, with what it is now.
      update mautic.outbox
      set
        state = 'pending', enqueued_at = changed_at, attempts = 0, failed_alone = 0,
        ambiguous = false, attempted = case when removal is null then '[]' else attempted end, not_before = null, person_keys = null,
        leased_by = null, lease_token = null, leased_version = null, lease_expires_at = null,
        error_code = null, error_message = null, error_at = null
      where lead_id = outcome.lead_id;
    elsif outcome.result = 'dead' then
      update mautic.outbox
      set
        state = 'dead', force = false, attempts = attempts + 1,
        -- Of what a 500 may have left in Mautic the next attempt has to know.
        ambiguous = may_be_done,
        attempted = case when removal is null and not may_be_done then '[]' else attempted end,
        not_before = null, person_keys = null,
        leased_by = null, lease_token = null, leased_version = null, lease_expires_at = null,
        error_code = outcome.error_code, error_message = outcome.error_message, error_at = mautic.clock()
      where lead_id = outcome.lead_id;
      if not coalesce(outcome.shows_lead, false) then
        perform mautic.yield_contact(p_origin, outcome.lead_id);
      end if;
    elsif outcome.result in ('retry', 'postponed', 'ambiguous') then
      update mautic.outbox
      set
        state = 'waiting',
        attempts = attempts + case when outcome.result = 'postponed' then 0 else 1 end,
        failed_alone = failed_alone + case when outcome.failed_alone then 1 else 0 end,
        not_before = mautic.clock() + coalesce(outcome.delay_ms, 0) * interval '1 millisecond',
        ambiguous = ambiguous or outcome.result = 'ambiguous',
        attempted = case
          when ambiguous or outcome.result = 'ambiguous' or removal is not null or may_be_done then attempted
          else '[]'
        end,
        -- Within the grace nobody else touches this person.
        person_keys = case when outcome.result = 'ambiguous' then person_keys end,
        leased_by = null, lease_token = null, leased_version = null, lease_expires_at = null,
        error_code = outcome.error_code, error_message = outcome.error_message, error_at = mautic.clock()
      where lead_id = outcome.lead_id;
    else
      raise exception 'outcome of lead %: unknown result %', outcome.lead_id, outcome.result
        using errcode = 'invalid_parameter_value', hint = 'done, retry, postponed, ambiguous, gone or dead';
    end if;
  end loop;

  perform mautic.restore_lifted(
    p_origin, array(select t.contact_id from jsonb_to_recordset(p_outcomes) as t(contact_id bigint)));

  if closes then
    -- What waits because of the trouble that is over need not wait out its back-off of minutes.
    -- A grace after an ambiguous outcome, and what Mautic itself asked for, are kept.
    update mautic.outbox
    set not_before = mautic.clock()
    where state = 'waiting' and not ambiguous and error_code is distinct from 'rate_limited' and not_before > mautic.clock();
  end if;

  return jsonb_build_object('settled', settled, 'lost', to_jsonb(lost));
end
$$;

comment on function mautic.settle(text, uuid, jsonb, text, boolean, int) is
  'Takes the outcomes of a batch: [{lead_id, result: done|retry|postponed|ambiguous|gone|dead, …}]. Only the holder '
  'of the lease moves its rows; contacts are recorded all the same. done with an unchanged version: the row '
  'goes; changed meanwhile: pending again. retry, postponed, ambiguous: due after delay_ms; postponed was not '
  'tried and counts as no attempt; ambiguous keeps the person held until then. p_halted: the code that brought '
  'the run to a halt; p_answered: Mautic did something for it (both for the circuit breaker); p_batch_size: what the next request may hold. Returns {settled, lost[]}.';

-- Only under the lock of the survivor's row, which whoever records a contact takes first.
create function mautic.merge_contact(p_origin text, p_loser bigint, p_survivor bigint)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  insert into public.lead_activity (lead_id, type, detail)
  select k.lead_id, 'contact_merged', jsonb_build_object('from', p_loser, 'contact_id', p_survivor)
  from mautic.contact_link k
  where k.origin = p_origin and k.contact_id = p_loser;
  update mautic.contact_link k
  set contact_id = p_survivor
  where k.origin = p_origin and k.contact_id = p_loser;
  insert into mautic.enrollment as e (
    origin, contact_id, campaign_id, state, lead_id, correlation_id, intended_at, confirmed_at
  )
  select origin, p_survivor, campaign_id, state, lead_id, correlation_id, intended_at, confirmed_at
  from mautic.enrollment
  where origin = p_origin and contact_id = p_loser
  on conflict do nothing;
  delete from mautic.enrollment where origin = p_origin and contact_id = p_loser;
  delete from mautic.contact where origin = p_origin and contact_id = p_loser;
end
$$;

comment on function mautic.merge_contact(text, bigint, bigint) is
  'A contact was merged into another in Mautic: everybody linked to it moves along, and what they were enrolled in.';

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
