-- Enrolment happens in two steps, because adding a contact again restarts the flow where a
-- campaign allows it: the intention is committed before the call, the confirmation after it. Who is to be
-- enrolled is decided in shared/campaign/decide_enrollment.ts.

create function mautic.intend_enrollment(
  p_origin text, p_campaign_id bigint, p_contact_id bigint, p_lead_id text, p_correlation_id text,
  p_hold_ms int
)
returns text
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  known mautic.enrollment;
  -- A lead is out once at a time (mautic.claim), so its next attempt need not wait for its last.
  holder constant text := coalesce('lead:' || p_lead_id, 'call:' || gen_random_uuid());
  until constant timestamptz := mautic.clock() + p_hold_ms * interval '1 millisecond';
begin
  -- Read again here: the person may have opted out since the item was claimed.
  if not mautic.is_mailable(mautic.read_email_status(p_origin, p_contact_id, p_lead_id)) then
    return 'not_mailable';
  end if;

  select * into known
  from mautic.enrollment e
  where e.origin = p_origin and e.contact_id = p_contact_id and e.campaign_id = p_campaign_id
  for update;
  if found then
    if known.state = 'confirmed' then
      return 'confirmed';
    end if;
    if known.held_until > mautic.clock() and known.held_by <> holder then
      return 'busy';
    end if;
    update mautic.enrollment e
    set held_by = holder, held_until = until
    where e.origin = p_origin and e.contact_id = p_contact_id and e.campaign_id = p_campaign_id;
    return 'intended';
  end if;

  insert into mautic.enrollment (origin, contact_id, campaign_id, lead_id, correlation_id, held_by, held_until)
  values (p_origin, p_contact_id, p_campaign_id, p_lead_id, p_correlation_id, holder, until)
  on conflict do nothing;
  return case when found then 'new' else 'busy' end;
end
$$;

comment on function mautic.intend_enrollment(text, bigint, bigint, text, text, int) is
  'Records that a contact is about to be added to a campaign. new: call now. intended: an earlier call may have '
  'got through, read the membership first. confirmed: it is in. not_mailable: the lead opted out meanwhile. busy: somebody else has said the same within '
  'the last p_hold_ms, and not yet what came of it.';

create function mautic.release_enrollment(p_origin text, p_campaign_id bigint, p_contact_id bigint)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.enrollment set held_by = null, held_until = null
  where origin = p_origin and campaign_id = p_campaign_id and contact_id = p_contact_id and state = 'intended';
$$;

comment on function mautic.release_enrollment(text, bigint, bigint) is
  'The call failed, and Mautic is done with it: whoever is next need not wait for the end of the hold.';

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
