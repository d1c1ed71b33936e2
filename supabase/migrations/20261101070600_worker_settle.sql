-- Settle: the outcomes of a batch in one call.

create function mautic.settle(
  p_origin text, p_lease_token uuid, p_outcomes jsonb, p_halted text default null, p_answered boolean default false,
  p_batch_size int default null
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
