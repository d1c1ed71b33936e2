-- pg_net rings the bell, pg_cron is the guarantee behind it, Vault holds the bell's address.
-- Without them the outbox still fills and `drain` can be called from anywhere.

do $extensions$
declare
  wanted text;
begin
  foreach wanted in array array['pg_net', 'pg_cron', 'supabase_vault'] loop
    begin
      if exists (select from pg_available_extensions where name = wanted and installed_version is null) then
        -- pg_net makes a schema of its own for what it brings, and counts as being in `public` where
        -- nothing is said: the advisors object to that. The others know their place themselves.
        execute format('create extension if not exists %I', wanted)
          || case when wanted = 'pg_net' and to_regnamespace('extensions') is not null
            then ' with schema extensions' else '' end;
      end if;
    exception when others then
      raise warning 'extension % could not be created: %', wanted, sqlerrm;
    end;
  end loop;

  if not exists (select from pg_proc where pronamespace = to_regnamespace('net') and proname = 'http_post') then
    raise warning 'pg_net is not installed: no change will ring mautic-sync'
      using hint = 'create extension pg_net;';
  end if;
  if not exists (select from pg_proc where pronamespace = to_regnamespace('cron') and proname = 'schedule') then
    raise warning 'pg_cron is not installed: lost rings and retries wait for the next change'
      using hint = 'create extension pg_cron; then run mautic.schedule_jobs()';
  end if;
  if to_regclass('vault.decrypted_secrets') is null then
    raise warning 'Vault is not installed: the doorbell has no address'
      using hint = 'create extension supabase_vault;';
  end if;
end
$extensions$;
