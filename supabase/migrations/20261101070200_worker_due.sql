-- Is there anything a worker could take now?
create function mautic.has_work()
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
set enable_seqscan = off
set jit = off
as $$
begin
  -- Where nothing may be sent nobody is called for what nobody chose. Whose database this is cannot be seen from here: a
  -- copy brings along that its original is live, but the function that asks is its own.
  if exists (
    select from (select d.live_at from mautic.deployment d order by d.seen_at desc limit 1) asked where asked.live_at is null
  ) then
    return exists (select from mautic.lead_change c where c.chosen)
      or exists (select from mautic.outbox where state in ('pending', 'waiting') and chosen and coalesce(not_before, mautic.clock()) <= mautic.clock());
  end if;
  return exists (select from mautic.lead_change)
    or exists (select from mautic.outbox where state = 'pending')
    or exists (select from mautic.outbox where state = 'waiting' and not_before <= mautic.clock())
    or exists (select from mautic.outbox where state = 'leased' and lease_expires_at <= mautic.clock())
    -- A probe takes what waits before its time.
    or (
      mautic.sending_state() = 'probe'
      and exists (
        select from mautic.outbox where state = 'waiting' and not ambiguous and error_code is distinct from 'rate_limited'
      )
    );
end
$$;

comment on function mautic.has_work() is 'True when the outbox or the change log holds something due.';

-- A row can be due and yet not claimable (its person is held elsewhere); a change never is.
create function mautic.has_changes()
returns boolean
language sql
volatile
security definer
set search_path = ''
as $$
  select exists (select from mautic.lead_change);
$$;

comment on function mautic.has_changes() is 'True when the change log holds something that no worker has seen.';
