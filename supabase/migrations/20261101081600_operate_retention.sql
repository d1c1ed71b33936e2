-- What grows for ever is purged here, each for its own setting (mautic.setting). Two tables are kept on purpose,
-- because reports need all of them: mautic.stage_change and mautic.lead_activity. mautic.erase() takes a person out.

create function mautic.purge_history()
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  with gone as (
    delete from mautic.sync_history
    where at < mautic.clock() - mautic.get('history_days')::int * interval '1 day'
    returning 1
  )
  select count(*) from gone;
$$;

comment on function mautic.purge_history() is 'Deletes the attempts older than the setting history_days; returns how many.';

-- net._http_response holds everybody's answers and no URL: ours are known by the request ids that
-- ring_for() kept. An id alone is not enough (pg_net counts from one again when it is installed
-- anew), so the answer must also have come within ten minutes of the ring. Younger answers stay
-- for whoever looks for the reason of a silent bell.
create function mautic.purge_rings()
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  before constant timestamptz := mautic.clock() - mautic.get('ring_hours')::int * interval '1 hour';
  purged bigint := 0;
begin
  if to_regclass('net._http_response') is not null then
    begin
      execute $purge$
        delete from net._http_response r
        using mautic.ring_sent s
        where r.id = s.request_id and s.rung_at < $1
          and r.created >= s.rung_at and r.created < s.rung_at + interval '10 minutes'
      $purge$ using before;
      get diagnostics purged = row_count;
    exception when insufficient_privilege then
      -- pg_net forgets answers by itself (pg_net.ttl, 6 hours).
      purged := 0;
    end;
  end if;
  delete from mautic.ring_sent where rung_at < before;
  return purged;
end
$$;

comment on function mautic.purge_rings() is
  'Deletes our own rings older than the setting ring_hours, and their answers in net._http_response; returns how many answers.';

-- Every run of a job is a row in cron.job_run_details, which pg_cron never deletes: the sweep
-- alone makes 8,640 a day.
create function mautic.purge_cron_log()
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  purged bigint;
begin
  if to_regclass('cron.job_run_details') is null then
    return 0;
  end if;
  execute $purge$
    delete from cron.job_run_details d
    using cron.job j
    where j.jobid = d.jobid and j.jobname like 'mautic-%'
      and coalesce(d.end_time, d.start_time) < $1
  $purge$ using mautic.clock() - mautic.get('cron_log_days')::int * interval '1 day';
  get diagnostics purged = row_count;
  return purged;
exception when insufficient_privilege then
  raise warning 'cron.job_run_details could not be purged: %', sqlerrm;
  return 0;
end
$$;

comment on function mautic.purge_cron_log() is
  'Deletes the log of our own cron jobs older than the setting cron_log_days; returns how many rows.';

-- What grows for ever is purged here, each for its own setting (mautic.setting). The inbox is
-- purged by mautic.purge_webhooks().
create function mautic.purge()
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  done constant jsonb := jsonb_build_object('history', mautic.purge_history(), 'rings', mautic.purge_rings());
begin
  -- No request, no worker and no transaction lives for a day.
  delete from mautic.erased where erased_at < mautic.clock() - interval '1 day';
  delete from mautic.bulk_transaction where noted_at < mautic.clock() - interval '1 day';
  return done || jsonb_build_object('cron_log', mautic.purge_cron_log());
end
$$;

comment on function mautic.purge() is
  'Deletes what is older than the settings history_days, ring_hours and cron_log_days allow; run by cron. Returns counts.';

create function mautic.purge_webhooks(p_older_than interval default null)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  age interval := p_older_than;
  purged int;
begin
  if age is null then
    age := make_interval(days => mautic.get('webhook_days')::int);
  end if;
  -- What could not be applied yet, or needs a person, is kept with its body.
  delete from mautic.webhook_delivery d
  where d.last_received_at < mautic.clock() - age
    and not exists (
      select from mautic.webhook_event e where e.delivery_id = d.id and e.state in ('stored', 'failed'));
  get diagnostics purged = row_count;
  -- A pending event stays: it is an opt-out of somebody who may yet become a lead.
  delete from mautic.webhook_event e
  where e.delivery_id is null and e.state = 'applied' and e.applied_at < mautic.clock() - age;
  return purged;
end
$$;

comment on function mautic.purge_webhooks(interval) is
  'Deletes deliveries last received longer ago than p_older_than (null: the setting webhook_days), with their '
  'applied events; lead_activity stays. Returns how many.';
