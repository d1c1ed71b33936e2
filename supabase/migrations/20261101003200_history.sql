-- What became of every attempt to bring a lead to Mautic: one short row each, written by settle for
-- a whole batch in one statement. No addresses and no payloads; kept for the setting history_days.
create table mautic.sync_history (
  id bigint generated always as identity primary key,
  at timestamptz not null default mautic.clock(),
  lead_id text not null,
  contact_id bigint,
  result text not null,
  action text,
  code text,
  attempt int not null,
  latency_ms int,
  correlation_id text not null
);

create index sync_history_by_lead on mautic.sync_history (lead_id, id);
-- Rows come in the order of time: a brin index costs nothing on insert and finds the last hour.
create index sync_history_by_time on mautic.sync_history using brin (at) with (pages_per_range = 16, autosummarize = on);

comment on table mautic.sync_history is
  'Append-only: one row for each settled attempt. Read it by mautic.lead_history(lead_id) and mautic.status.';
comment on column mautic.sync_history.result is 'done, retry, postponed, ambiguous, gone or dead, as settle takes it.';
comment on column mautic.sync_history.action is
  'Of a done attempt: created, updated, unchanged; of a deleted lead: deleted, do_not_contact, kept.';
comment on column mautic.sync_history.code is 'The error code of an attempt that failed.';
comment on column mautic.sync_history.latency_ms is
  'Of a live change that is done and was not changed meanwhile: milliseconds from the write to Mautic''s answer.';

alter table mautic.sync_history enable row level security;

create function mautic.note_history(p_lease_token uuid, p_outcomes jsonb)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into mautic.sync_history (lead_id, contact_id, result, action, code, attempt, latency_ms, correlation_id)
  select
    o.lead_id, t.contact_id, t.result, t.action, t.error_code, o.attempts + 1,
    case
      when t.result = 'done' and o.priority = 0 and o.version = o.leased_version
        then greatest(0, least(extract(epoch from mautic.clock() - o.changed_at) * 1000, 2147483647))::int
    end,
    o.correlation_id
  from jsonb_to_recordset(p_outcomes) as t (
    lead_id text, result text, contact_id bigint, action text, error_code text
  )
  join mautic.outbox o on o.lead_id = t.lead_id
  where o.state = 'leased' and o.lease_token = p_lease_token and o.lease_expires_at > mautic.clock();
$$;

comment on function mautic.note_history(uuid, jsonb) is
  'Appends the outcomes of a batch to mautic.sync_history; called by settle before it moves the rows.';

-- Addresses as operators see them: j***@e***.com. As maskAddresses() in shared/address.ts.
create function mautic.mask(p_text text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case when p_text ~ '@|%40' then
    regexp_replace(
      p_text,
      '([^\s"''<>()\[\],;:\\/=?&@]?)[^\s"''<>()\[\],;:\\/=?&@]*(?:@|%40)'
        || '([^\s"''<>()\[\],;:\\/=?&@%.])[^\s"''<>()\[\],;:\\/=?&@%.]*'
        || '(?:[^\s"''<>()\[\],;:\\/=?&@%]*(\.[[:alnum:]-]+))?',
      '\1***@\2***\3', 'gi')
  else p_text end;
$$;

comment on function mautic.mask(text) is 'Masks every e-mail address within a text.';

create function mautic.lead_history(lead_id text)
returns table (at timestamptz, event text, detail jsonb, correlation_id text)
language sql
stable
security definer
set search_path = ''
as $$
  select h.at, 'sync_' || h.result,
    jsonb_strip_nulls(jsonb_build_object(
      'action', h.action, 'contact_id', h.contact_id, 'code', h.code, 'attempt', h.attempt, 'latency_ms', h.latency_ms)),
    h.correlation_id
  from mautic.sync_history h
  where h.lead_id = lead_history.lead_id
  union all
  select a.occurred_at, a.type, mautic.mask(a.detail::text)::jsonb, a.detail ->> 'correlation_id'
  from public.lead_activity a
  where a.lead_id = lead_history.lead_id
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
  from mautic.lead_change c
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
