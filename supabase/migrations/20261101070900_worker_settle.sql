-- Settle: the outcomes of a batch in one call. settle() at the end is the whole: for each outcome what it
-- tells of contacts (settle_contacts), then what becomes of the item (settled_item, which only decides).

-- Does an outcome leave in doubt whether Mautic did it? A 500 may come after the work was done,
-- whatever is answered to the next try.
create function mautic.may_be_done(p_outcome mautic.outcome)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select coalesce(p_outcome.may_be_done or p_outcome.error_code in ('server_failed', 'mautic_failed'), false);
$$;

comment on function mautic.may_be_done(mautic.outcome) is
  'Mautic may have done what this outcome calls failed: what attempts brought there has to be remembered.';

-- The state of an item after its outcome. Decides only, writes nothing.
create function mautic.settled_item(p_item mautic.outbox, p_outcome mautic.outcome)
returns mautic.outbox
language plpgsql
volatile
set search_path = ''
as $$
declare
  item mautic.outbox := p_item;
  is_unchanged constant boolean := item.version = item.leased_version;
  may_be_done constant boolean := mautic.may_be_done(p_outcome);
begin
  -- Whatever follows, the lease is over.
  item.leased_by := null;
  item.lease_token := null;
  item.leased_version := null;
  item.leased_at := null;
  item.lease_expires_at := null;
  -- Within the grace after an ambiguous outcome nobody else touches this person.
  item.person_keys := case when p_outcome.result = 'ambiguous' then item.person_keys end;
  item.not_before := null;
  item.error_code := p_outcome.error_code;
  item.error_message := p_outcome.error_message;
  item.error_remedy := p_outcome.error_remedy;
  item.error_at := mautic.clock();

  if p_outcome.result in ('done', 'gone') or (p_outcome.result = 'dead' and not is_unchanged) then
    -- Changed while it was out: once more, with what it is now.
    item.state := 'pending';
    item.enqueued_at := item.changed_at;
    item.attempts := 0;
    item.failed_alone := 0;
    item.ambiguous := false;
    item.attempted := case when item.removal is null then '[]' else item.attempted end;
    item.error_code := null;
    item.error_message := null;
    item.error_remedy := null;
    item.error_at := null;
  elsif p_outcome.result = 'dead' then
    item.state := 'dead';
    item.force := false;
    item.attempts := item.attempts + 1;
    -- Of what a 500 may have left in Mautic the next attempt has to know.
    item.ambiguous := may_be_done;
    item.attempted := case when item.removal is null and not may_be_done then '[]' else item.attempted end;
  elsif p_outcome.result in ('retry', 'postponed', 'ambiguous') then
    item.state := 'waiting';
    item.attempts := item.attempts + case when p_outcome.result = 'postponed' then 0 else 1 end;
    item.failed_alone := item.failed_alone + case when p_outcome.failed_alone then 1 else 0 end;
    item.not_before := mautic.clock() + coalesce(p_outcome.delay_ms, 0) * interval '1 millisecond';
    -- What was read before a table was attached again tells nothing of it.
    if p_outcome.error_code = 'unreadable' and exists (select from mautic.attachment a where a.attached_at >= p_item.leased_at) then
      item.not_before := mautic.clock();
    end if;
    item.ambiguous := item.ambiguous or p_outcome.result = 'ambiguous';
    item.attempted := case
      when item.ambiguous or item.removal is not null or may_be_done then item.attempted
      else '[]'
    end;
  else
    raise exception 'outcome of lead %: unknown result %', p_outcome.lead_id, p_outcome.result
      using errcode = 'invalid_parameter_value', hint = 'done, retry, postponed, ambiguous, gone or dead';
  end if;
  return item;
end
$$;

comment on function mautic.settled_item(mautic.outbox, mautic.outcome) is
  'What a leased item that is not done becomes by its outcome. Raises invalid_parameter_value for an unknown result.';

-- What an outcome tells of contacts. Which contact a lead is stays true whoever asked: recorded even
-- when the lease or the lead is gone. What the contact showed is not: without the lease somebody else
-- may have written since.
create function mautic.settle_contacts(p_origin text, p_outcome mautic.outcome, p_is_held boolean)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if p_outcome.contact_id is not null and (
    p_is_held
    or not exists (
      select from mautic.erased e where e.lead_hash = sha256(convert_to(p_outcome.lead_id, 'UTF8'))
    )
  ) then
    perform mautic.record_contact(p_origin, p_outcome, p_is_held);
  end if;
  if p_outcome.removed_contact_ids is not null or (p_outcome.result = 'done' and p_outcome.lead_id like 'erase:%') then
    perform mautic.forget_contacts(
      p_origin, p_outcome.lead_id, coalesce(p_outcome.removed_contact_ids, array[]::bigint[]));
  end if;
end
$$;

comment on function mautic.settle_contacts(text, mautic.outcome, boolean) is
  'Records the contact that an outcome shows, and forgets those that it removed; not of leads that were erased meanwhile.';

-- After Mautic answered 404 for the contact. Where the setting on_contact_deleted says leave, the leads
-- that were linked to it are not sent again. A lead that merely has its address was never linked to it:
-- it gets a contact of its own.
create function mautic.settle_gone(p_origin text, p_item mautic.outbox, p_outcome mautic.outcome)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  reaction constant text := mautic.part_from_contact(p_origin, p_outcome.asked_contact_id, p_item.force);
begin
  if reaction <> 'leave' or not exists (
    select from mautic.contact_link k
    where k.origin = p_origin and k.lead_id = p_item.lead_id and k.left_at is not null
  ) then
    return false;
  end if;
  perform mautic.remember_change(array[p_item.lead_id]);
  return true;
end
$$;

comment on function mautic.settle_gone(text, mautic.outbox, mautic.outcome) is
  'Parts the leads of a contact that was deleted in Mautic from it; true: this item''s lead is left alone.';

create function mautic.settle_item(p_origin text, p_item mautic.outbox, p_outcome mautic.outcome)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  is_over boolean := p_outcome.result = 'done';
  item mautic.outbox;
begin
  if p_outcome.snapshot is null and (p_outcome.result = 'ambiguous' or mautic.may_be_done(p_outcome)) then
    perform mautic.doubt_contacts(p_origin, p_item.person_keys);
  end if;
  if p_outcome.result = 'gone' then
    is_over := mautic.settle_gone(p_origin, p_item, p_outcome);
  end if;
  if is_over and p_item.version = p_item.leased_version then
    delete from mautic.outbox where lead_id = p_item.lead_id;
    return;
  end if;

  item := mautic.settled_item(p_item, p_outcome);
  update mautic.outbox
  set
    state = item.state, force = item.force, enqueued_at = item.enqueued_at, leased_by = item.leased_by,
    lease_token = item.lease_token, leased_version = item.leased_version, lease_expires_at = item.lease_expires_at,
    person_keys = item.person_keys, attempts = item.attempts, not_before = item.not_before,
    ambiguous = item.ambiguous, attempted = item.attempted, failed_alone = item.failed_alone,
    error_code = item.error_code, error_message = item.error_message, error_remedy = item.error_remedy,
    error_at = item.error_at
  where lead_id = item.lead_id;
  if item.state = 'dead' and not coalesce(p_outcome.shows_lead, false) then
    perform mautic.yield_contact(p_origin, item.lead_id);
  end if;
end
$$;

comment on function mautic.settle_item(text, mautic.outbox, mautic.outcome) is
  'Moves a leased item on by its outcome, and what follows for its contact.';

-- What waits because of trouble that is over need not wait out its back-off of minutes. A grace after
-- an ambiguous outcome, and what Mautic itself asked for, are kept.
create function mautic.hasten_waiting()
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.outbox
  set not_before = mautic.clock()
  where state = 'waiting' and not ambiguous and error_code is distinct from 'rate_limited' and not_before > mautic.clock();
$$;

comment on function mautic.hasten_waiting() is 'The circuit has closed: what was in back-off is due at once.';

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
  item mautic.outbox;
  settled int := 0;
  lost text[] := array[]::text[];
  closes boolean;
begin
  -- Before any outbox row is locked: a probing claim takes the two in the same order.
  closes := mautic.update_circuit(
    p_origin, (
      select o.leased_by from mautic.outbox o where o.lead_id = p_outcomes -> 0 ->> 'lead_id' and o.lease_token = p_lease_token
    ), p_halted, p_answered);
  update mautic.sending set batch_size = p_batch_size where batch_size is distinct from p_batch_size and p_batch_size is not null;
  perform mautic.append_history(p_lease_token, p_outcomes);

  for outcome in
    select * from jsonb_populate_recordset(null::mautic.outcome, p_outcomes)
    order by lead_id
  loop
    select o.* into item
    from mautic.outbox o
    where o.lead_id = outcome.lead_id and o.state = 'leased' and o.lease_token = p_lease_token
      and o.lease_expires_at > mautic.clock()
    for update;
    perform mautic.settle_contacts(p_origin, outcome, item.lead_id is not null);
    if item.lead_id is null then
      lost := lost || outcome.lead_id;
    else
      settled := settled + 1;
      perform mautic.settle_item(p_origin, item, outcome);
    end if;
  end loop;

  perform mautic.restore_lifted(
    p_origin, array(select t.contact_id from jsonb_to_recordset(p_outcomes) as t(contact_id bigint)));
  if closes then
    perform mautic.hasten_waiting();
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
