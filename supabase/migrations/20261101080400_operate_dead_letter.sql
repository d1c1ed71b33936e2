-- The dead letters, with what to do about them.

-- One text for each reason a row can die of; the functions' codes (shared/errors/codes.ts).
create function mautic.remedy(p_code text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case p_code
    when 'invalid_email' then 'Correct the lead''s e-mail address; the edit sends it again.'
    when 'invalid_lead' then 'Correct the columns that last_error names; the edit sends the lead again.'
    when 'duplicate_contact' then
      'Another contact in Mautic has this address, or several share it, and Mautic refuses them all: merge them there, then replay the lead.'
    when 'field_refused' then 'Correct the lead, or the field in Mautic that last_error names, then replay the lead.'
    when 'campaign_not_found' then
      'Set MAUTIC_CAMPAIGN_HIGH_VALUE to the id of a campaign, then mautic.replay_where(dead_reason => ''campaign_not_found'').'
    when 'mautic_failed' then 'Mautic fails on this lead alone: look into its log (var/logs), then replay the lead.'
    else 'Look at last_error and the function''s log, then replay the lead: select mautic.replay(lead_id).'
  end;
$$;

comment on function mautic.remedy(text) is 'What to do about a dead letter of this reason.';

create view mautic.dead_letter with (security_invoker = true) as
select
  o.lead_id,
  o.error_code as reason,
  mautic.remedy(o.error_code) as remedy,
  o.attempts,
  mautic.mask(o.error_message) as last_error,
  o.error_at as since,
  o.correlation_id
from mautic.outbox o
where o.state = 'dead'
order by o.error_at desc;

comment on view mautic.dead_letter is
  'Leads that Mautic will not take as they are, with the remedy. An edit of the lead or mautic.replay() sends it again.';
