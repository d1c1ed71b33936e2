-- Stand-in for pg_cron 1.6: the same tables, functions and grants. The runner behind it is
-- pg_cron_runner.ts beside it.
--
-- The real functions write cron.job from C, whatever the caller may do, and nobody writes it
-- otherwise. Here they run with the caller's rights, so that `current_user` is the caller, and leave
-- the writing to others that have the rights of their owner.

create schema cron;

create sequence cron.jobid_seq;
create sequence cron.runid_seq;

create table cron.job (
  jobid bigint primary key default nextval('cron.jobid_seq'),
  schedule text not null,
  command text not null,
  nodename text not null default 'localhost',
  nodeport int not null default inet_server_port(),
  database text not null default current_database(),
  username text not null default current_user,
  active boolean not null default true,
  jobname text,
  constraint jobname_username_uniq unique (jobname, username)
);
alter table cron.job enable row level security;
create policy cron_job_policy on cron.job using (username = current_user);

create table cron.job_run_details (
  jobid bigint,
  runid bigint primary key default nextval('cron.runid_seq'),
  job_pid integer,
  database text,
  username text,
  command text,
  status text,
  return_message text,
  start_time timestamptz,
  end_time timestamptz
);
alter table cron.job_run_details enable row level security;
create policy cron_job_run_details_policy on cron.job_run_details
  using (username = current_user);

create function cron._check_schedule(schedule text) returns void
language plpgsql
as $$
declare
  crontab constant text := '^\s*([0-9a-z*/,$-]+\s+){4}[0-9a-z*/,$-]+\s*$';
  seconds constant text := '^\s*[1-5]?[0-9]\s+seconds?\s*$';
  shortcut constant text := '^@(yearly|annually|monthly|weekly|daily|midnight|hourly|reboot)$';
begin
  if schedule ~* crontab or (schedule ~* seconds and schedule !~* '^\s*0+\s') or
    schedule ~* shortcut
  then
    return;
  end if;
  raise exception 'invalid schedule: %', schedule
    using
      errcode = 'invalid_parameter_value',
      hint = 'Use cron format (e.g. 5 4 * * *), or interval format ''[1-59] seconds''';
end
$$;

-- A job of that name keeps whether it is active, as with the real one.
create function cron._put(job_name text, schedule text, command text, owner text) returns bigint
language plpgsql
security definer
set search_path = ''
as $$
#variable_conflict use_variable
declare
  job_id bigint;
begin
  perform cron._check_schedule(schedule);
  insert into cron.job (jobname, schedule, command, username)
  values (job_name, schedule, command, owner)
  on conflict on constraint jobname_username_uniq do update
  set schedule = excluded.schedule, command = excluded.command, database = excluded.database
  returning jobid into job_id;
  return job_id;
end
$$;

create function cron.schedule(schedule text, command text) returns bigint
language sql
as 'select cron._put(null, schedule, command, current_user)';

create function cron.schedule(job_name text, schedule text, command text) returns bigint
language sql
as 'select cron._put(job_name, schedule, command, current_user)';

create function cron._drop(job_id bigint, job_name text, owner text) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
begin
  delete from cron.job where (jobid = job_id or jobname = job_name) and username = owner;
  if not found then
    raise exception 'could not find valid entry for job ''%''', coalesce(job_name, job_id::text);
  end if;
  return true;
end
$$;

create function cron.unschedule(job_name text) returns boolean
language sql
as 'select cron._drop(null, job_name, current_user)';

create function cron.unschedule(job_id bigint) returns boolean
language sql
as 'select cron._drop(job_id, null, current_user)';

create function cron._alter(
  job_id bigint, schedule text, command text, database text, username text, active boolean, owner text
) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if _alter.schedule is not null then
    perform cron._check_schedule(_alter.schedule);
  end if;
  update cron.job as j
  set
    schedule = coalesce(_alter.schedule, j.schedule),
    command = coalesce(_alter.command, j.command),
    database = coalesce(_alter.database, j.database),
    username = coalesce(_alter.username, j.username),
    active = coalesce(_alter.active, j.active)
  where j.jobid = _alter.job_id and j.username = owner;
  if not found then
    raise exception 'Job % does not exist or you don''t own it', job_id;
  end if;
end
$$;

create function cron.alter_job(
  job_id bigint,
  schedule text default null,
  command text default null,
  database text default null,
  username text default null,
  active boolean default null
) returns void
language sql
as 'select cron._alter(job_id, schedule, command, database, username, active, current_user)';

grant usage on schema cron to postgres with grant option;
grant select on cron.job to postgres;
grant select, delete on cron.job_run_details to postgres;
grant usage on all sequences in schema cron to postgres;
revoke all on all functions in schema cron from public;
grant execute on all functions in schema cron to postgres with grant option;
