-- The operator's switch (mautic.sending).

create function mautic.pause(reason text default null)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.sending
  set paused_at = coalesce(paused_at, mautic.clock()), pause_reason = coalesce(pause.reason, pause_reason)
  where one;
  return 'paused';
end
$$;

comment on function mautic.pause(text) is
  'Stops all sending to Mautic; what is under way ends, changes go on queueing. mautic.resume() ends it.';

create function mautic.resume()
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.sending set paused_at = null, pause_reason = null where paused_at is not null;
  if not found then
    return 'not paused';
  end if;
  if mautic.has_work() then
    return 'resumed, ' || mautic.ring('resume-' || gen_random_uuid());
  end if;
  return 'resumed, nothing queued';
end
$$;

comment on function mautic.resume() is 'Ends mautic.pause() and rings, if something is queued. Returns what it did.';
