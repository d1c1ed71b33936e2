-- What is no longer believed of a contact.

-- After an attempt of unknown outcome the contact may show what was sent or what was before: what
-- was confirmed earlier says nothing any more. With an empty snapshot the next attempt, of any lead
-- of this person, sends all its fields. The lead that the contact showed is queued again, at its own
-- place in time: the one whose attempt was lost may have gone to another address by then.
create function mautic.doubt_contacts(p_origin text, p_person_keys text[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  with doubted as (
    update mautic.contact
    set snapshot = '{}', refused = '{}'
    where origin = p_origin
      and contact_id = any (
        array(select substr(key, 9)::bigint from unnest(p_person_keys) key where key like 'contact:%')
      )
      and snapshot <> '{}'
    returning lead_id, lead_changed_at
  )
  insert into mautic.lead_change (lead_ids, cause, correlation_id, changed_at)
  select array[lead_id], 'replay', 'doubt-' || gen_random_uuid(), lead_changed_at
  from doubted
  where lead_id is not null and 'lead:' || lead_id <> all (p_person_keys);
$$;

comment on function mautic.doubt_contacts(text, text[]) is
  'Forgets the snapshots of the contacts among these person keys: an attempt on them has an unknown outcome.';
