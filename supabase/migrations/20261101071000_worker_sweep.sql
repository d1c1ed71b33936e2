-- The guarantee behind the bell, run by cron.

create function mautic.sweep()
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if not mautic.has_work() then
    return 'idle';
  end if;
  if exists (select from mautic.worker w where w.lease_expires_at > mautic.clock()) then
    return 'worker';
  end if;
  if mautic.sending_state() in ('paused', 'open') then
    return mautic.sending_state();
  end if;
  return mautic.ring('sweep-' || gen_random_uuid());
end
$$;

comment on function mautic.sweep() is
  'Rings when work is due and no worker lives. Returns idle, worker, paused, open (mautic.sending), or what mautic.ring() says.';
