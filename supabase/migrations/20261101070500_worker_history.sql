-- What became of every attempt to bring a lead to Mautic: one short row each, written by settle for
-- a whole batch in one statement. No addresses and no payloads; kept for the setting history_days.

create table mautic.sync_history (
  id bigint generated always as identity primary key,
  at timestamptz not null default mautic.clock(),
  lead_id text not null,
  contact_id bigint,
  result text not null,
  action text,
  enrollment text,
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
comment on column mautic.sync_history.enrollment is
  'Of a done attempt, with enrolment on: enrolled, or why not, e.g. below_threshold: 0.97 of 70.';
comment on column mautic.sync_history.code is 'The error code of an attempt that failed.';
comment on column mautic.sync_history.latency_ms is
  'Of a live change that is done and was not changed meanwhile: milliseconds from the write to Mautic''s answer.';

alter table mautic.sync_history enable row level security;

create function mautic.append_history(p_lease_token uuid, p_outcomes jsonb)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  insert into mautic.sync_history (lead_id, contact_id, result, action, enrollment, code, attempt, latency_ms, correlation_id)
  select
    o.lead_id, t.contact_id, t.result, t.action, t.enrollment, t.error_code, o.attempts + 1,
    case
      when t.result = 'done' and o.lane < 'backfill' and o.version = o.leased_version
        then greatest(0, least(extract(epoch from mautic.clock() - o.changed_at) * 1000, 2147483647))::int
    end,
    o.correlation_id
  -- Six of the fields of mautic.outcome: reading all of them costs as much again as the insert.
  from jsonb_to_recordset(p_outcomes) as t (
    lead_id text, result text, contact_id bigint, action text, enrollment text, error_code text
  )
  join mautic.outbox o on o.lead_id = t.lead_id
  where o.state = 'leased' and o.lease_token = p_lease_token and o.lease_expires_at > mautic.clock();
$$;

comment on function mautic.append_history(uuid, jsonb) is
  'Appends the outcomes of a batch to mautic.sync_history; called by settle before it moves the rows.';
