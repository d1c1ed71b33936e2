-- Sending leads again by hand, and the backfill of a table that was there before the sync. A
-- replay waits behind live changes: they have a lane of their own (mautic.lane).
-- What operators call by hand has parameters with plain names: they are written out in the call.

create function mautic.replay(lead_id text, force boolean default false)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  replayed int;
begin
  replayed := mautic.queue_replay(array[replay.lead_id], replay.force, correlation);
  -- A removal that died has no lead any more.
  update mautic.outbox o
  set state = 'pending', attempts = 0, failed_alone = 0, enqueued_at = mautic.clock(), correlation_id = correlation
  where o.lead_id = replay.lead_id and o.state = 'dead' and o.removal is not null and replayed = 0;
  if found then
    replayed := 1;
  end if;
  if replayed > 0 then
    perform mautic.ring_doorbell(correlation, replayed);
  end if;
  return replayed;
end
$$;

comment on function mautic.replay(text, boolean) is
  'Queues a lead again, a dead letter too; force => true sends all its fields, not only what changed. '
  'Returns 1, or 0 for a lead that does not exist or is queued already.';

-- The Mautic that the functions talk to, as far as the database can tell.
create function mautic.current_origin()
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select t.origin from mautic.oauth_token t
  where t.stored_at is not null
  order by t.stored_at desc
  limit 1;
$$;

comment on function mautic.current_origin() is 'The Mautic whose token was stored last; null before the first.';

create function mautic.replay_where(
  crm_status text[] default null,
  changed_since timestamptz default null,
  changed_until timestamptz default null,
  synced_since timestamptz default null,
  synced_until timestamptz default null,
  dead_reason text default null,
  never_synced boolean default false,
  everything boolean default false,
  force boolean default false,
  confirm boolean default false
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  by_change constant boolean := changed_since is not null or changed_until is not null;
  by_sync constant boolean := synced_since is not null or synced_until is not null;
  filtered constant boolean :=
    crm_status is not null or by_change or by_sync or dead_reason is not null or coalesce(never_synced, false);
  wanted text[];
  known text[];
  queued int;
begin
  if not filtered and not coalesce(everything, false) then
    raise exception 'mautic.replay_where() was given no filter. Name one (crm_status, changed_since, '
      'changed_until, synced_since, synced_until, dead_reason, never_synced), or say everything => true.'
      using errcode = 'invalid_parameter_value';
  end if;
  if filtered and everything then
    raise exception 'mautic.replay_where() was given everything => true and a filter. Leave one of them out.'
      using errcode = 'invalid_parameter_value';
  end if;
  -- By what is known of the leads, without a look at their rows: all of them have to be known.
  perform pg_advisory_xact_lock(mautic.claim_lock());
  while mautic.fold(5000) loop end loop;
  perform mautic.read_unseen('1 day');
  if by_change and not exists (select from mautic.lead_state l where l.changed_at is not null) then
    raise exception 'mautic.replay_where(): the leads tell no time of change (updated_at, created_at). '
      'Filter by synced_since instead, or name it: mautic.attach(…, changed_at => ''…'').'
      using errcode = 'undefined_column';
  end if;

  select coalesce(array_agg(l.lead_id), '{}') into wanted
  from mautic.lead_state l
  where l.gone_at is null
    and (replay_where.crm_status is null or l.stage = any (replay_where.crm_status))
    and (changed_since is null or l.changed_at >= changed_since)
    and (changed_until is null or l.changed_at < changed_until)
    and (
      dead_reason is null
      or l.lead_id in (
        select o.lead_id from mautic.outbox o
        where o.state = 'dead' and dead_reason in ('any', o.error_code)
      )
    )
    and (
      not by_sync
      or l.lead_id in (
        select k.lead_id
        from mautic.contact_link k
        join mautic.contact c on c.origin = k.origin and c.contact_id = k.contact_id
        where c.answered_at >= coalesce(synced_since, '-infinity')
          and c.answered_at < coalesce(synced_until, 'infinity')
      )
    )
    and (
      not coalesce(never_synced, false)
      or l.lead_id not in (
        select k.lead_id from mautic.contact_link k
        where k.origin = coalesce(mautic.current_origin(), k.origin)
      )
    );

  known := array(select s.lead_id from mautic.lead_state s where s.lead_id = any (wanted) and s.known_since is not null);
  if confirm then
    queued := mautic.queue_known(known, correlation);
  else
    queued := 0;
  end if;
  queued := queued + mautic.queue_replay(
    array(select id from unnest(wanted) id except select id from unnest(known) id), coalesce(force, false), correlation);
  if queued > 0 then
    perform mautic.ring_doorbell(correlation, queued);
  end if;
  return jsonb_build_object(
    'matched', cardinality(wanted), 'queued', queued,
    'already_queued', cardinality(wanted) - queued - case when confirm then 0 else cardinality(known) end,
    'known', cardinality(known), 'without_consent', (
      select count(*) from mautic.lead_state s where s.lead_id = any (known) and s.consent is distinct from true));
end
$$;

comment on function mautic.replay_where(
  text[], timestamptz, timestamptz, timestamptz, timestamptz, text, boolean, boolean, boolean, boolean
) is
  'Queues the leads that all given filters match: crm_status => ''{qualified}'', changed_since/changed_until (the '
  'lead''s updated_at), synced_since/synced_until (Mautic''s last answer), dead_reason => ''any'' or a code of '
  'mautic.dead_letter, never_synced => true, or everything => true. force => true sends all fields, even those Mautic '
  'confirmed: after Mautic was restored from a backup. Leads that were there before their table was attached are only '
  'counted (known, of these without_consent), until confirm => true: then they go out, and of contacts that are in Mautic '
  'already only the blanks are filled. Returns {matched, queued, already_queued, known, without_consent}.';
