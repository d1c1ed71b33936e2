-- The circuit breaker (mautic.sending): who may claim, who probes, what a run says of Mautic.

-- The worker's leave to claim, asked under the claim lock. Locks the row while the circuit is
-- open, before any outbox row: settle takes them in the same order.
create function mautic.may_claim(p_holder uuid, p_origin text)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  now_is constant text := mautic.sending_state(p_origin);
begin
  if now_is in ('paused', 'closed') then
    return now_is;
  end if;
  update mautic.sending
  set prober = p_holder, prober_until = mautic.clock() + interval '15 seconds'
  where opened_at is not null
    and probe_at <= mautic.clock()
    and (prober_until is null or prober_until <= mautic.clock() or prober = p_holder);
  if not found then
    return 'open';
  end if;
  -- Whatever waits may have minutes to wait: with a short queue there would be nothing to probe with.
  update mautic.outbox
  set not_before = mautic.clock()
  where lead_id in (
    select lead_id from mautic.outbox
    where state = 'waiting' and not ambiguous and error_code is distinct from 'rate_limited'
    order by attempts, not_before
    limit 5
  );
  return 'probe';
end
$$;

comment on function mautic.may_claim(uuid, text) is
  'closed, probe, open or paused; probe: the holder is the one prober for 15 s, or for as long as it renews its leases.';

create function mautic.renew_probe(p_holder uuid)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.sending set prober_until = mautic.clock() + interval '15 seconds' where prober = p_holder;
$$;

-- A probe that found nothing to send is over; the next change may ring for another.
create function mautic.end_probe(p_holder uuid)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.sending set prober = null, prober_until = null where prober = p_holder;
$$;

-- What a settled batch says of Mautic. Returns true when the circuit closes with it.
create function mautic.update_circuit(p_origin text, p_holder uuid, p_halted text, p_answered boolean)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  s mautic.sending;
  -- Mautic's own limit has its own clock; a short lease or this database say nothing of Mautic.
  trouble constant boolean :=
    p_halted is not null and p_halted not in ('rate_limited', 'lease_too_short', 'database_unavailable');
  new_halts int;
begin
  if p_halted is null and not p_answered then
    -- Nothing was asked of Mautic. If this was the probe, the next one may come.
    perform mautic.end_probe(p_holder);
    return false;
  end if;
  if not trouble and p_halted is not null then
    return false;
  end if;
  -- The way of nearly every batch: nothing to note and nothing to lock.
  if not trouble and not exists (select from mautic.sending where halts > 0) then
    return false;
  end if;

  select * into s from mautic.sending for update;
  if not trouble then
    if s.origin is distinct from p_origin then
      return false;
    end if;
    update mautic.sending
    set halts = 0, halt_code = null, opened_at = null, probes = 0, probe_at = null, prober = null, prober_until = null
    where one;
    return s.opened_at is not null;
  end if;

  new_halts := case when s.origin = p_origin then s.halts else 0 end + 1;
  if new_halts < mautic.get('circuit_after_halts')::int then
    update mautic.sending
    set origin = p_origin, halts = new_halts, halt_code = p_halted,
      opened_at = null, probes = 0, probe_at = null, prober = null, prober_until = null
    where one;
  else
    update mautic.sending
    set
      origin = p_origin, halts = new_halts, halt_code = p_halted,
      opened_at = coalesce(s.opened_at, mautic.clock()),
      probes = case when s.opened_at is null then 0 else s.probes + 1 end,
      probe_at = mautic.clock() + least(
        5 * 2 ^ least(case when s.opened_at is null then 0 else s.probes + 1 end, 10),
        mautic.get('circuit_longest_pause_seconds')::int
      ) * interval '1 second',
      prober = null, prober_until = null
    where one;
  end if;
  return false;
end
$$;

comment on function mautic.update_circuit(text, uuid, text, boolean) is
  'Counts halted runs and opens the circuit; an answered one closes it. True: it closed now.';
