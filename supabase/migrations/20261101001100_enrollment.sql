-- Enrolment happens in two steps, because adding a contact again restarts the flow where a
-- campaign allows it: the intention is committed before the call, the confirmation after it.
create function mautic.intend_enrollment(
  p_origin text, p_campaign_id bigint, p_contact_id bigint, p_lead_id text, p_correlation_id text
)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  known text;
begin
  -- Read again here: the person may have opted out since the item was claimed. Every lead that is
  -- this contact counts.
  if exists (
    select
    from mautic.read_leads(
      array(
        select k.lead_id from mautic.contact_link k
        where k.origin = p_origin and k.contact_id = p_contact_id
      ) || p_lead_id
    ) l
    where coalesce(l.email_status, 'subscribed') <> 'subscribed'
  ) then
    return 'not_mailable';
  end if;

  select e.state into known
  from mautic.enrollment e
  where e.origin = p_origin and e.contact_id = p_contact_id and e.campaign_id = p_campaign_id;
  if found then
    return known;
  end if;

  insert into mautic.enrollment (origin, contact_id, campaign_id, lead_id, correlation_id)
  values (p_origin, p_contact_id, p_campaign_id, p_lead_id, p_correlation_id)
  on conflict do nothing;
  return case when found then 'new' else 'intended' end;
end
$$;

comment on function mautic.intend_enrollment(text, bigint, bigint, text, text) is
  'Records that a contact is about to be added to a campaign. new: call now. intended: an earlier call may have '
  'got through, read the membership first. confirmed: it is in. not_mailable: the lead opted out meanwhile.';

create function mautic.confirm_enrollment(p_origin text, p_campaign_id bigint, p_contact_id bigint)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.enrollment
  set state = 'confirmed', confirmed_at = mautic.clock()
  where origin = p_origin and campaign_id = p_campaign_id and contact_id = p_contact_id and state = 'intended';
$$;

comment on function mautic.confirm_enrollment(text, bigint, bigint) is 'The contact is in the campaign, by Mautic''s own answer.';

create function mautic.withdraw_enrollment(p_origin text, p_campaign_id bigint, p_contact_id bigint)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  delete from mautic.enrollment
  where origin = p_origin and campaign_id = p_campaign_id and contact_id = p_contact_id and state = 'intended';
$$;

comment on function mautic.withdraw_enrollment(text, bigint, bigint) is 'Mautic refused the enrolment for good: nothing was done.';

create function mautic.read_email_status(p_lead_id text)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select l.email_status from mautic.read_leads(array[p_lead_id]) l;
$$;

comment on function mautic.read_email_status(text) is 'The lead''s email_status as it is now; null for an unknown lead.';
