-- The dead letters, with what to do about them.

create view mautic.dead_letter with (security_invoker = true) as
select
  o.lead_id,
  o.error_code as reason,
  coalesce(
    o.error_remedy, 'Look at last_error and the function''s log, then replay the lead: select mautic.replay(lead_id).'
  ) as remedy,
  o.attempts,
  mautic.mask(o.error_message) as last_error,
  o.error_at as since,
  o.correlation_id
from mautic.outbox o
where o.state = 'dead'
order by o.error_at desc;

comment on view mautic.dead_letter is
  'Leads that Mautic will not take as they are, with the remedy. An edit of the lead or mautic.replay() sends it again.';
