-- Sending leads once more, for whatever reason.

-- One statement however many leads. Whoever is queued already is left where it is: asking twice
-- sends once. A row that a worker holds is queued again, what it sends may be older than the wish.
create function mautic.queue_replay(p_lead_ids text[], p_force boolean, p_correlation_id text)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  asked_at constant timestamptz := mautic.clock();
  queued int;
begin
  insert into mautic.lead_change (lane, lead_ids, cause, force, correlation_id, changed_at, queued_at)
  select
    'backfill', array[l.lead_id], 'replay', p_force, p_correlation_id, least(coalesce(l.changed_at, asked_at), asked_at), asked_at
  from (
    select s.lead_id, s.changed_at from mautic.lead_state s where s.lead_id = any (p_lead_ids) and s.gone_at is null
    union all
    select r.lead_id, r.changed_at
    from mautic.read_leads(array(
      select id from unnest(p_lead_ids) id where not exists (select from mautic.lead_state s where s.lead_id = id)
    )) r
  ) l
  where not exists (
      select from mautic.outbox o
      where o.lead_id = l.lead_id and o.state in ('pending', 'waiting') and (o.force or not p_force)
    )
    and not exists (
      select from mautic.logged_lead c
      where c.lead_id = l.lead_id and (c.force or not p_force)
    );
  get diagnostics queued = row_count;
  return queued;
end
$$;

comment on function mautic.queue_replay(text[], boolean, text) is 'Queues these leads once more, unless they are queued; returns how many.';

-- The first send of leads that were there before us.
create function mautic.queue_known(p_lead_ids text[], p_correlation_id text)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  asked_at constant timestamptz := mautic.clock();
  queued int;
begin
  insert into mautic.lead_change (lane, lead_ids, cause, fill, correlation_id, changed_at, queued_at)
  select 'backfill', array[s.lead_id], 'replay', true, p_correlation_id, least(coalesce(s.changed_at, asked_at), asked_at), asked_at
  from mautic.lead_state s
  where s.lead_id = any (p_lead_ids) and s.known_since is not null and s.gone_at is null
  order by s.lead_id;
  get diagnostics queued = row_count;
  return queued;
end
$$;

comment on function mautic.queue_known(text[], text) is 'Queues known leads for the first time; of contacts that are in Mautic only blanks are filled.';
