-- What is known of leads (mautic.lead_state), kept up with the change log, and leads found by it.

create type mautic.seen_lead as (
  lead_id text, is_whole boolean, source text, address text, stage text, consent boolean, changed_at timestamptz, digest bigint,
  was_stage text, was_consent boolean, was_there boolean, known_since timestamptz, logged_at timestamptz, times jsonb
);

comment on type mautic.seen_lead is
  'A lead as it is and as it was known before. is_whole: nothing of it is missing (null: its row is gone); logged_at, times: '
  'when it changed, and each of its columns, as the log says.';

-- Put together by grouping: joins of sets whose size a cached plan does not know may go row by row.
create function mautic.look_at_leads(p_lead_ids text[], p_logged_at timestamptz[], p_times jsonb[])
returns setof mautic.seen_lead
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return query
  select
    u.lead_id, bool_or(u.is_whole), max(u.source), max(u.address), max(u.stage), bool_or(u.consent), max(u.changed_at),
    max(u.digest), max(u.was_stage), bool_or(u.was_consent), coalesce(bool_or(u.was_there), false), max(u.known_since),
    max(u.logged_at), (array_agg(u.times) filter (where u.times is not null))[1]
  from (
    select r.lead_id, r.payload -> 'missing' = '[]' as is_whole, r.source, r.address, r.payload ->> 'stage' as stage,
      (r.payload ->> 'consent')::boolean as consent, r.changed_at, r.digest,
      null as was_stage, null::boolean as was_consent, null::boolean as was_there, null::timestamptz as known_since,
      null::timestamptz as logged_at, null::jsonb as times
    from mautic.read_leads(p_lead_ids) r
    union all
    select s.lead_id, null, null, null, null, null, null, null, s.stage, s.consent, true, s.known_since, null, null
    from mautic.lead_state s
    where s.lead_id = any (p_lead_ids)
    union all
    select g.lead_id, null, null, null, null, null, null, null, null, null, null, null, g.logged_at, g.times
    from unnest(p_lead_ids, p_logged_at, p_times) as g(lead_id, logged_at, times)
  ) u
  group by u.lead_id;
end
$$;

comment on function mautic.look_at_leads(text[], timestamptz[], jsonb[]) is 'These leads as they are and as they were known. The times may be shorter arrays.';

-- Of those that were there before us it stays known that they were.
create function mautic.forget_leads(p_lead_ids text[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  delete from mautic.lead_state s where s.lead_id = any (p_lead_ids) and s.known_since is null;
  update mautic.lead_state s
  set gone_at = mautic.clock(), address = null, stage = null, consent = null, changed_at = null, digest = null, times = '{}'
  where s.lead_id = any (p_lead_ids) and s.gone_at is null;
$$;

comment on function mautic.forget_leads(text[]) is 'The rows of these leads are gone.';

-- Bulks are folded after single edits, whichever came first.
create function mautic.later_times(p_known jsonb, p_seen jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select case
    when p_seen = '{}' then p_known
    else (
      select jsonb_object_agg(t.key, t.at)
      from (
        select e.key, max(e.value) as at
        from (select * from jsonb_each_text(p_known) union all select * from jsonb_each_text(p_seen)) e
        group by e.key
      ) t)
  end
$$;

comment on function mautic.later_times(jsonb, jsonb) is 'Of each column the later of two times, in UTC and of one width.';

-- What cannot be read just now stays known as it was.
create function mautic.remember_leads(p_seen mautic.seen_lead[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  perform mautic.forget_leads(array(select l.lead_id from unnest(p_seen) l where l.is_whole is null and l.was_there));

  insert into mautic.lead_state as s (lead_id, source, address, stage, consent, changed_at, digest, times, known_since)
  select l.lead_id, l.source, l.address, l.stage, l.consent, l.changed_at, l.digest, coalesce(l.times, '{}'), l.known_since
  from unnest(p_seen) l
  where l.is_whole
  -- One order for all who write several.
  order by l.lead_id
  on conflict (lead_id) do update
  set address = excluded.address, stage = excluded.stage, consent = excluded.consent, changed_at = excluded.changed_at,
    digest = excluded.digest, times = mautic.later_times(s.times, excluded.times), known_since = excluded.known_since,
    gone_at = null, read_at = excluded.read_at;

  insert into mautic.stage_change (lead_id, from_stage, to_stage, changed_at)
  select l.lead_id, l.was_stage, l.stage, l.logged_at
  from unnest(p_seen) l
  where l.is_whole and l.logged_at is not null and l.stage is distinct from l.was_stage
    -- Not where the stage is read otherwise than before, and another column changed.
    and (coalesce(l.times, '{}') = '{}' or l.times ?| (
      select r.columns::text[] from mautic.role r where r.source = l.source and r.role = 'stage'));
end
$$;

comment on function mautic.remember_leads(mautic.seen_lead[]) is
  'Keeps what leads are in mautic.lead_state, and the stages they went through; those that are gone are known no more.';

create function mautic.beyond_sql(a mautic.attachment, p_operator text, p_key text)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when p_key is null then 'true'
    else format('l.%I %s %L::%s', a.key_column, mautic.operator_sql(a.key_type::regtype, p_operator), p_key, a.key_type)
  end
$$;

comment on function mautic.beyond_sql(mautic.attachment, text, text) is 'SQL that is true for rows l on this side of a key; null: for all rows.';

-- The next rows of a table that are not known, by their key.
create function mautic.read_page(p_source text, p_limit int)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  read int;
  ids text[];
  last text;
begin
  select * into a from mautic.attachment s where s.source = p_source and s.relation is not null and s.read_to_end_at is null for update;
  if a.source is null then
    return false;
  end if;
  execute format(
    $sql$with page as materialized (
      select l.%1$I as key, %2$s as lead_id from %3$s l where %4$s order by l.%1$I limit %5$s
    )
    select count(*), array_agg(p.lead_id), (select %6$s from page l order by l.key desc limit 1) from page p$sql$,
    a.key_column, mautic.role_sql(a.source, 'key'), mautic.table_of(a),
    mautic.beyond_sql(a, '>', a.read_upto),
    p_limit, mautic.key_sql('l', 'key', a.key_type::regtype))
  into read, ids, last;
  -- By the way that leads are read: one that cannot be read does not keep the others from being known.
  insert into mautic.lead_state as s (lead_id, source, address, stage, consent, changed_at, digest, known_since)
  select r.lead_id, r.source, r.address, r.payload ->> 'stage', (r.payload ->> 'consent')::boolean, r.changed_at, r.digest,
    mautic.clock()
  from mautic.read_leads(ids) r
  where r.payload -> 'missing' = '[]' and not mautic.is_overlong(r.lead_id)
  -- In the order of all who write several.
  order by r.lead_id
  on conflict (lead_id) do update
  -- Known so far by its email_status alone.
  set address = excluded.address, stage = excluded.stage, consent = excluded.consent, changed_at = excluded.changed_at,
    digest = excluded.digest, known_since = excluded.known_since, gone_at = null
  where s.digest is null;
  -- Deleted softly they were there all the same.
  insert into mautic.lead_state (lead_id, source, known_since, gone_at)
  select id, a.source, mautic.clock(), mautic.clock()
  from unnest(ids) id
  where mautic.deleted_sql(a.source) is not null and not mautic.is_overlong(id)
  order by id
  on conflict (lead_id) do nothing;
  update mautic.attachment s
  set read_upto = coalesce(last, s.read_upto), read_to_end_at = case when read < p_limit then mautic.clock() end
  where s.source = p_source;
  return read = p_limit;
end
$$;

comment on function mautic.read_page(text, int) is
  'Reads the next p_limit rows of a source''s table into mautic.lead_state, unless they are known; true while there are more.';

create function mautic.read_unseen(p_patience interval default '500 milliseconds')
returns int
language plpgsql
volatile
set search_path = ''
set row_security = off
as $$
declare
  a mautic.attachment;
  began constant timestamptz := mautic.clock();
  pages int := 0;
begin
  if not exists (select from mautic.attachment s where s.relation is not null and s.read_to_end_at is null) then
    return 0;
  end if;
  -- Not beside a fold, which writes the same rows: pages follow the key, a fold the lead id.
  perform pg_advisory_xact_lock(mautic.claim_lock());
  for a in
    -- What lacks a column would stay unknown behind the key that was read last.
    select * from mautic.attachment s where s.relation is not null and s.read_to_end_at is null and mautic.is_as_attached(s)
  loop
    begin
      loop
        pages := pages + 1;
        exit when not mautic.read_page(a.source, 2000) or mautic.clock() > began + p_patience;
      end loop;
      update mautic.attachment s set read_problem = null where s.source = a.source and s.read_problem is not null;
    exception when others then
      update mautic.attachment s set read_problem = sqlerrm where s.source = a.source;
    end;
  end loop;
  return pages;
end
$$;

-- A claim waits until it ends: hence the short patience.
comment on function mautic.read_unseen(interval) is
  'Makes rows known that were there before their table was attached, until all are or p_patience is over; returns how many pages it read. Run by cron.';

-- By what is known, and by what nobody has folded yet; each is looked at once more. Of a bulk that is not folded the
-- newest: the others will be in a moment.
create function mautic.find_leads(p_addresses text[])
returns table (lead_id text, address text)
language sql
stable
security definer
set search_path = ''
as $$
  select r.lead_id, r.address
  from mautic.read_leads(array(
    select s.lead_id from mautic.lead_state s where s.address = any (p_addresses)
    union
    (select unnest(c.lead_ids) from (select l.lead_ids from mautic.lead_change l order by l.lane, l.id desc limit 200) c limit 200)
  )) r
  where r.address = any (p_addresses);
$$;

comment on function mautic.find_leads(text[]) is 'All leads with these addresses, as addresses are compared (mautic.normalize_address).';
