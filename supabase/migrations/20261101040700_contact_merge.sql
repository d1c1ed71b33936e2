-- Contacts that people merged in Mautic.

-- Only under the lock of the survivor's row, which whoever records a contact takes first.
create function mautic.merge_contact(p_origin text, p_loser bigint, p_survivor bigint)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform mautic.note_activity(array(
    select row(k.lead_id, 'contact_merged', jsonb_build_object('from', p_loser, 'contact_id', p_survivor), null)::mautic.activity
    from mautic.contact_link k
    where k.origin = p_origin and k.contact_id = p_loser));
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
