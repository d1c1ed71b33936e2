-- What becomes of a contact when its lead is deleted, and of a lead when its contact is.

-- A contact that a lead still is, by link or by address, is never touched. Asked at claim, and
-- again by the worker right before the call, with the address that Mautic itself just told.
create function mautic.contact_in_use(p_origin text, p_contact_id bigint, p_address text default null)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select
    exists (
      select
      from mautic.read_leads(array(
        select k.lead_id from mautic.contact_link k where k.origin = p_origin and k.contact_id = p_contact_id
      ))
    )
    or exists (
      select
      from mautic.find_leads(
        array(select c.address from mautic.contact c where c.origin = p_origin and c.contact_id = p_contact_id)
        || mautic.normalize_address(p_address)
      )
    );
$$;

comment on function mautic.contact_in_use(text, bigint, text) is
  'Is this contact, or whoever has this address, a lead that exists? Then it must not be removed.';

create function mautic.may_remove(p_origin text, p_lead_id text, p_attempted text[])
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  known bigint;
begin
  select k.contact_id into known
  from mautic.contact_link k
  where k.origin = p_origin and k.lead_id = p_lead_id and k.left_at is null;
  if known is null and p_attempted = '{}' then
    return false;
  end if;
  return not mautic.contact_in_use(p_origin, known)
    and not exists (select from mautic.find_leads(p_attempted));
end
$$;

comment on function mautic.may_remove(text, text, text[]) is
  'Has the removal of this deleted lead''s contact an object, and does no other lead use it?';

-- Of leads whose contact was deleted and is left alone: when they changed last, for the day on which
-- a forced replay brings them back.
create function mautic.remember_change(p_lead_ids text[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.contact_link k
  set changed_at = greatest(k.changed_at, o.changed_at)
  from mautic.outbox o
  where o.lead_id = k.lead_id and o.lead_id = any (p_lead_ids) and k.left_at is not null;
$$;

-- Rows that a claim drops: told in the history where something had been asked for.
create function mautic.note_kept(p_lead_ids text[])
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
$$;

-- After contacts were deleted in Mautic by our own hand.
create function mautic.forget_contacts(p_origin text, p_lead_id text, p_contact_ids bigint[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  delete from mautic.enrollment where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.do_not_contact where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.contact_link where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.contact where origin = p_origin and contact_id = any (p_contact_ids);
  -- An erasure's own link has served.
  delete from mautic.contact_link where p_lead_id like 'erase:%' and lead_id = p_lead_id;
$$;

comment on function mautic.forget_contacts(text, text, bigint[]) is 'Deletes what is known of contacts that are gone from Mautic.';

-- After Mautic said that a contact is gone (404; a merge answers with another id instead).
create function mautic.note_contact_deleted(p_origin text, p_contact_id bigint, p_is_forced boolean default false)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  -- Who replays one of its leads by force wants it there.
  reaction constant text := case when p_is_forced then 'recreate' else mautic.get('on_contact_deleted') end;
begin
  insert into public.lead_activity (lead_id, type, detail)
  select k.lead_id, 'contact_deleted', jsonb_build_object('contact_id', p_contact_id, 'reaction', reaction)
  from mautic.contact_link k
  where k.origin = p_origin and k.contact_id = p_contact_id and k.left_at is null;

  if reaction = 'leave' then
    update mautic.contact_link set left_at = mautic.clock()
    where origin = p_origin and contact_id = p_contact_id and left_at is null;
  else
    -- All who were this contact come to one anew, each at its own place in time.
    with parted as (
      delete from mautic.contact_link
      where origin = p_origin and contact_id = p_contact_id
      returning lead_id, changed_at
    )
    insert into mautic.lead_change (lead_id, cause, correlation_id, changed_at, queued_at)
    select p.lead_id, 'replay', mautic.correlation_id(), coalesce(p.changed_at, mautic.clock()), mautic.clock()
    from parted p
    where exists (select from mautic.read_leads(array[p.lead_id]));
  end if;
  delete from mautic.contact where origin = p_origin and contact_id = p_contact_id;
  return reaction;
end
$$;

comment on function mautic.note_contact_deleted(text, bigint, boolean) is
  'Notes a contact''s deletion in Mautic on its leads, and says what follows: recreate or leave (setting on_contact_deleted).';
