-- What becomes of a lead when its contact is deleted in Mautic.

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

-- After Mautic said that a contact is gone (404; a merge answers with another id instead).
create function mautic.part_from_contact(p_origin text, p_contact_id bigint, p_is_forced boolean default false)
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
  perform mautic.note_activity(array(
    select row(
      k.lead_id, 'contact_deleted', jsonb_build_object('contact_id', p_contact_id, 'reaction', reaction), null)::mautic.activity
    from mautic.contact_link k
    where k.origin = p_origin and k.contact_id = p_contact_id and k.left_at is null));

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
    insert into mautic.lead_change (lead_ids, cause, correlation_id, changed_at, queued_at)
    select array[p.lead_id], 'replay', mautic.correlation_id(), coalesce(p.changed_at, mautic.clock()), mautic.clock()
    from parted p
    where exists (select from mautic.read_leads(array[p.lead_id]));
  end if;
  delete from mautic.contact where origin = p_origin and contact_id = p_contact_id;
  return reaction;
end
$$;

comment on function mautic.part_from_contact(text, bigint, boolean) is
  'Notes a contact''s deletion in Mautic on its leads, and says what follows: recreate or leave (setting on_contact_deleted).';
