-- The state of the sync in one row.

create view mautic.status with (security_invoker = true) as
with queue as (
  select
    count(*) filter (where state = 'pending') as pending,
    count(*) filter (where state = 'leased') as leased,
    count(*) filter (where state = 'waiting') as waiting,
    count(*) filter (where state = 'dead') as dead,
    count(*) filter (where due) as due_now,
    min(enqueued_at) filter (where state <> 'dead') as oldest_pending,
    -- A backfill takes its time; what must not be late are live changes.
    min(enqueued_at) filter (where due and lane < 'bulk') as oldest_due
  from (
    select
      o.*,
      state = 'pending'
        or (state = 'waiting' and not_before <= mautic.clock())
        or (state = 'leased' and lease_expires_at <= mautic.clock()) as due
    from mautic.outbox o
  ) o
), log as (
  select
    coalesce(sum(cardinality(lead_ids)), 0) as unfolded,
    min(coalesce(queued_at, changed_at)) as oldest,
    min(changed_at) filter (where lane < 'bulk') as oldest_live
  from mautic.lead_change
), hour as (
  select
    count(*) filter (where result = 'done') as sent,
    count(*) filter (where result <> 'done') as failed,
    percentile_cont(0.5) within group (order by latency_ms) as median,
    percentile_cont(0.95) within group (order by latency_ms) as p95
  from mautic.sync_history
  where at > mautic.clock() - interval '1 hour'
), reasons as (
  select coalesce(jsonb_object_agg(reason, leads), '{}') as dead_by_reason
  from (select error_code as reason, count(*) as leads from mautic.outbox where state = 'dead' group by 1) r
), required as (
  select count(*) as leads, string_agg(distinct o.error_message, ' ') as said
  from mautic.outbox o
  where o.error_code = 'required_field' and o.state = 'waiting'
), pairs as (
  select coalesce(
    jsonb_agg(jsonb_build_object('project', d.project, 'origin', d.origin, 'live_at', d.live_at) order by d.seen_at, d.project, d.origin),
    '[]') as deployments
  from mautic.deployment d
)
select
  q.pending,
  q.leased,
  q.waiting,
  q.dead,
  reasons.dead_by_reason,
  q.due_now,
  log.unfolded,
  mautic.clock() - least(q.oldest_pending, log.oldest) as oldest_pending_age,
  mautic.clock() - least(q.oldest_due, log.oldest_live) as oldest_due_age,
  (select count(*) from mautic.worker w where w.lease_expires_at > mautic.clock()) as workers_alive,
  hour.sent as sent_last_hour,
  hour.failed as failed_last_hour,
  round(hour.median)::int as latency_median_ms,
  round(hour.p95)::int as latency_p95_ms,
  (select h.at from mautic.sync_history h where h.result = 'done' order by h.id desc limit 1) as last_sent_at,
  (select max(t.expires_at) from mautic.oauth_token t where t.sealed is not null) as token_expires_at,
  -- A test says that the way is open, not that Mautic tells of what happens.
  (select max(d.last_received_at) from mautic.webhook_delivery d where not d.is_test) as last_webhook_at,
  (select count(*) from mautic.webhook_event e where e.state = 'failed') as webhook_failed,
  (select count(*) from mautic.outbox o where o.error_code = 'unreadable' and o.state = 'waiting') as unreadable,
  required.leads as required_field,
  required.said as required_fields,
  (select count(*) from mautic.lead_state l where l.address is null and l.gone_at is null) as without_address,
  (select count(*) from mautic.lead_state l where l.known_since is not null and l.gone_at is null) as known,
  (select count(*) from mautic.check_shape()) as shape_problems,
  exists (select from mautic.deployment d where d.live_at is not null) as live,
  pairs.deployments,
  s.paused_at is not null as paused,
  s.paused_at,
  s.pause_reason,
  case when s.opened_at is null then 'closed' else 'open' end as circuit,
  s.opened_at as circuit_opened_at,
  s.halt_code as circuit_reason,
  s.probe_at as circuit_probe_at
from queue q, log, hour, reasons, required, pairs, mautic.sending s;

comment on view mautic.status is
  'The sync in one row. pending: due. leased: with a worker. waiting: in back-off or grace. dead: see mautic.dead_letter. '
  'unfolded: changes no worker has seen. oldest_due_age: how late the oldest live change is. latency: write to Mautic''s '
  'answer, last hour. unreadable: leads waiting because their table no longer gives a column; required_field: those waiting because Mautic requires a '
  'field that they do not send, required_fields says which; without_address: leads that have none; known: '
  'leads that were there before their table was attached, and were never sent; shape_problems: see mautic.check_shape(); live: '
  'mautic.go_live() was said for a pair of project and Mautic; deployments: all pairs that asked. circuit open: Mautic is in trouble, only probes are sent.';

create function mautic.read_status()
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  select to_jsonb(s) - array['oldest_pending_age', 'oldest_due_age'] || jsonb_build_object(
    'oldest_pending_age_ms', round(extract(epoch from s.oldest_pending_age) * 1000),
    'oldest_due_age_ms', round(extract(epoch from s.oldest_due_age) * 1000),
    'circuit_open_ms', round(extract(epoch from mautic.clock() - s.circuit_opened_at) * 1000)
  )
  from mautic.status s;
$$;

comment on function mautic.read_status() is 'mautic.status as JSON, ages in milliseconds: for monitors.';
