-- All that happened to one lead.

create function mautic.lead_history(lead_id text)
returns table (at timestamptz, event text, detail jsonb, correlation_id text)
language sql
stable
security definer
set search_path = ''
as $$
  select h.at, 'sync_' || h.result,
    jsonb_strip_nulls(jsonb_build_object(
      'action', h.action, 'enrollment', h.enrollment, 'contact_id', h.contact_id, 'code', h.code, 'attempt', h.attempt, 'latency_ms', h.latency_ms)),
    h.correlation_id
  from mautic.sync_history h
  where h.lead_id = lead_history.lead_id
  union all
  select a.occurred_at, a.type, mautic.mask(a.detail::text)::jsonb, a.detail ->> 'correlation_id'
  from mautic.read_activity(array[lead_history.lead_id]) a
  union all
  select k.linked_at, 'linked', jsonb_build_object('contact_id', k.contact_id, 'origin', k.origin), null
  from mautic.contact_link k
  where k.lead_id = lead_history.lead_id
  union all
  select coalesce(e.confirmed_at, e.intended_at), 'enrollment_' || e.state,
    jsonb_build_object('contact_id', e.contact_id, 'campaign_id', e.campaign_id), e.correlation_id
  from mautic.enrollment e
  where e.lead_id = lead_history.lead_id
  union all
  select coalesce(c.queued_at, c.changed_at), 'logged_' || c.cause, '{}', c.correlation_id
  from mautic.logged_lead c
  where c.lead_id = lead_history.lead_id
  union all
  select o.enqueued_at, 'now_' || o.state,
    jsonb_strip_nulls(jsonb_build_object(
      'due_at', o.not_before, 'attempts', o.attempts, 'code', o.error_code, 'message', mautic.mask(o.error_message))),
    o.correlation_id
  from mautic.outbox o
  where o.lead_id = lead_history.lead_id
  order by 1 desc;
$$;

comment on function mautic.lead_history(text) is
  'What happened to a lead, newest first: attempts, activity, link, enrolment, and what is queued now. Addresses masked.';
