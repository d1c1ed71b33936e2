-- The cron jobs, all of them here.

create function mautic.schedule_jobs()
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  job record;
begin
  if not mautic.has_routine('cron', 'schedule') then
    return 'no_pg_cron';
  end if;
  for job in
    select * from (values
      ('mautic-sweep', 'select mautic.sweep()'),
      ('mautic-inbox', 'select mautic.apply_pending_deliveries()'),
      ('mautic-read', 'select mautic.read_unseen()')
    ) as j(name, command)
  loop
    begin
      execute 'select cron.schedule($1, $2, $3)' using job.name, '10 seconds', job.command;
    exception when others then
      -- Seconds came with pg_cron 1.5.
      raise warning 'pg_cron takes no seconds (%): % runs every minute', sqlerrm, job.name;
      execute 'select cron.schedule($1, $2, $3)' using job.name, '* * * * *', job.command;
    end;
  end loop;
  -- Jobs of their own: what one of them locks is free before the next one begins.
  execute $cron$select cron.schedule('mautic-attach', '* * * * *', 'select mautic.attach_declared()')$cron$;
  execute $cron$select cron.schedule('mautic-compare', '* * * * *', 'select mautic.compare()')$cron$;
  execute $cron$select cron.schedule('mautic-inbox-people', '* * * * *', 'select mautic.apply_pending_events()')$cron$;
  execute $cron$select cron.schedule('mautic-inbox-purge', '17 3 * * *', 'select mautic.purge_webhooks()')$cron$;
  execute $cron$select cron.schedule('mautic-reconcile', '*/15 * * * *', 'select mautic.ring_reconcile()')$cron$;
  execute $cron$select cron.schedule('mautic-purge', '7 * * * *', 'select mautic.purge()')$cron$;
  -- The real cron.schedule() leaves a job that was switched off as it is.
  begin
    execute $cron$
      select cron.alter_job(jobid, active := true) from cron.job where jobname like 'mautic-%' and not active
    $cron$;
  exception when insufficient_privilege or undefined_function then
    raise warning 'jobs that are switched off stay so: %', sqlerrm;
  end;
  return 'scheduled';
end
$$;

comment on function mautic.schedule_jobs() is
  'Registers the cron jobs of this schema, or renews them. Run it again after installing pg_cron.';

do $$
begin
  perform mautic.schedule_jobs();
exception when others then
  raise warning 'the sweep was not scheduled: %', sqlerrm
    using hint = 'select mautic.schedule_jobs();';
end
$$;
