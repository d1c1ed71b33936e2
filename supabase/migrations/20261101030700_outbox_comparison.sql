-- What came past the triggers: replicated rows, writes into a partition, partitions that were attached, a table that
-- was swapped or restored. Found by the digest of each row, in pages by key, from cron. It adds work and never
-- takes any: rows that are gone are counted, and a person decides (mautic.drop_absent).

-- With its partitions and heirs. Another filenode: rewritten, restored or emptied.
create function mautic.table_mark(p_relation oid)
returns text
language sql
volatile
set search_path = ''
as $$
  with recursive part as (
    select p_relation as oid
    union all
    select i.inhrelid from pg_catalog.pg_inherits i join part p on p.oid = i.inhparent
  )
  select string_agg(
    concat_ws(
      '.', c.oid, c.relfilenode, pg_catalog.pg_stat_get_tuples_inserted(c.oid), pg_catalog.pg_stat_get_tuples_updated(c.oid),
      pg_catalog.pg_stat_get_tuples_deleted(c.oid)), ' ' order by c.oid)
  from part p join pg_catalog.pg_class c on c.oid = p.oid
$$;

comment on function mautic.table_mark(oid) is 'Stays the same while nothing is written to a table.';

-- Asked for at each page and each minute. In plpgsql, as what it calls: that keeps plans for the session.
create function mautic.digest_definition(a mautic.attachment)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select concat_ws(
      ' ', current_setting('server_version_num')::int / 10000, mautic.digest_sql(a.source, a.relation, 'l'),
      (
        select string_agg(format_type(t.atttypid, -1), ', ' order by t.attname)
        from pg_catalog.pg_attribute t
        where t.attrelid = a.relation and t.attname = any ((select mautic.columns_read(a.source))::name[]) and not t.attisdropped
      )));
end
$$;

comment on function mautic.digest_definition(mautic.attachment) is
  'What the digests of a source are made of, and of which types: 1 and 1.0 have other hashes. They are the same only within one '
  'major version of Postgres.';

-- Digests made otherwise tell nothing: they are written anew first. What is pending of a pass under way stays so.
create function mautic.note_digest(p_source text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  update mautic.attachment a
  set digest_of = mautic.digest_definition(a), is_rewriting = a.digest_of is not null,
    compared_upto = null, comparing_since = null, absent_upto = null
  where a.source = p_source and a.relation is not null and a.digest_of is distinct from mautic.digest_definition(a);
end
$$;

comment on function mautic.note_digest(text) is 'Notes what the digests of a source are made of from now on.';

create function mautic.has_suspect(p_source text)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select exists (select from mautic.table_change t where t.source = p_source and t.cause = 'suspect')
$$;

comment on function mautic.has_suspect(text) is 'Was something written to a source''s table that could not be logged, since the last pass began?';

create function mautic.is_comparison_due(a mautic.attachment)
returns boolean
language sql
volatile
set search_path = ''
as $$
  select a.read_to_end_at is not null and mautic.is_as_attached(a) and (
    a.comparing_since is not null
    or a.is_rewriting
    or a.is_suspect
    or a.digest_of is distinct from mautic.digest_definition(a)
    or mautic.has_suspect(a.source)
    or (
      coalesce(a.compared_at, a.read_to_end_at) < mautic.clock() - mautic.get('compare_minutes')::int * interval '1 minute'
      and a.compared_mark is distinct from mautic.table_mark(a.relation)
    ))
$$;

comment on function mautic.is_comparison_due(mautic.attachment) is 'Is a pass under way, or one to begin?';

-- The first and the last id of a page of leads, where all ids between are of it: where ids are sorted as the keys are, as
-- uuids and whole numbers of as many digits and no sign.
create function mautic.stretch_of(a mautic.attachment, p_after text, p_upto text, out first_id text, out last_id text)
language plpgsql
volatile
set search_path = ''
as $$
begin
  if a.key_type::regtype not in ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'uuid'::regtype) then
    return;
  end if;
  execute format(
    $sql$select
      (select case when l.%5$I::text not like '-%%' then %1$s end from %2$s l where %3$s order by l.%5$I limit 1),
      (select %1$s from %2$s l where %3$s and %4$s order by l.%5$I desc limit 1)$sql$,
    mautic.role_sql(a.source, 'key'), mautic.table_of(a), p_after, p_upto, a.key_column)
  into first_id, last_id;
  if length(first_id) is distinct from length(last_id) then
    first_id := null;
    last_id := null;
  end if;
end
$$;

comment on function mautic.stretch_of(mautic.attachment, text, text) is
  'The first and the last id of a page, where those between are of it; else null. p_after, p_upto: conditions of its rows l.';

-- One statement sees one moment: a row whose change is visible has its line in the log, or was folded with it.
-- Returned as it is, for a query whose result plpgsql keeps in variables runs on one core alone.
create function mautic.compare_rows(a mautic.attachment, p_upto text, out met bigint, out lead_ids text[], out digests bigint[])
returns setof record
language plpgsql
volatile
set search_path = ''
-- What is known is in memory mostly.
set random_page_cost = 1.1
set enable_mergejoin = off
set enable_hashjoin = on
set work_mem = '16MB'
set jit = off
as $$
declare
  after constant text := mautic.beyond_sql(a, '>', a.compared_upto);
  upto constant text := mautic.beyond_sql(a, '<=', p_upto);
  stretch constant record := mautic.stretch_of(a, after, upto);
begin
  if stretch.first_id is null then
    -- Each known lead by its index: joined otherwise a page reads all that is known.
    perform set_config('enable_hashjoin', 'off', true);
  end if;
  return query execute format(
    $sql$select
      count(s.lead_id) filter (where not p.is_deleted),
      coalesce(array_agg(p.lead_id) filter (where %1$s), '{}'),
      coalesce(array_agg(p.digest) filter (where %1$s), '{}')
    from (
      select %2$s as lead_id, %3$s as digest, %4$s as is_deleted from %5$s l where %6$s and %7$s
    ) p
    left join (select * from mautic.lead_state k where %8$s) s on s.lead_id = p.lead_id$sql$,
    'not p.is_deleted and s.digest is distinct from p.digest and p.lead_id not in (select c.lead_id from mautic.logged_lead c)',
    mautic.role_sql(a.source, 'key'), mautic.digest_sql(a.source, a.relation, 'l'),
    coalesce(mautic.deleted_sql(a.source), 'false'), mautic.table_of(a), after, upto,
    case
      when stretch.first_id is null then 'true'
      else format('k.lead_id between %L and %L', stretch.first_id, stretch.last_id)
    end);
end
$$;

comment on function mautic.compare_rows(mautic.attachment, text) is
  'Compares the rows of a source with what is known of them, from where its pass is to a key: how many are known, and the '
  'ids and digests of those that are not known or otherwise.';

-- While digests are written anew another one tells nothing, unless something was written that nobody saw: then all that
-- differ are queued. Rows that are not known are queued in any case.
create function mautic.compare_page(p_source text, p_limit int, out is_last boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  page record;
  is_rewritten boolean;
  upto text;
  queued text[];
begin
  select * into a from mautic.attachment s where s.source = p_source for update;
  execute format(
    'select %s from %s l where %s order by l.%I offset %s limit 1',
    mautic.key_sql('l', a.key_column, a.key_type::regtype), mautic.table_of(a), mautic.beyond_sql(a, '>', a.compared_upto),
    a.key_column, p_limit - 1)
  into upto;
  -- From here on nobody can alter it.
  if not mautic.is_as_attached(a) or a.digest_of is distinct from mautic.digest_definition(a) then
    raise exception '% was altered while it was compared: the pass goes on in a minute', mautic.table_of(a)
      using errcode = 'object_not_in_prerequisite_state';
  end if;
  is_last := upto is null;

  select * into page from mautic.compare_rows(a, upto);
  -- Asked after the page was read: what it shows of a write that could not be logged is suspect by now.
  is_rewritten := a.is_rewriting and not a.is_suspect and not mautic.has_suspect(p_source);
  queued := array(
    select o.lead_id from unnest(page.lead_ids, page.digests) o(lead_id, digest)
    left join mautic.lead_state s on s.lead_id = o.lead_id
    -- Not one that came into the page when its first and last row had been read.
    where (s.digest is null or (s.digest <> o.digest and not is_rewritten)) and not mautic.is_overlong(o.lead_id));
  if is_rewritten then
    update mautic.lead_state s set digest = o.digest
    -- In the order of all who write several.
    from (select * from unnest(page.lead_ids, page.digests) p(lead_id, digest) order by p.lead_id) o
    where s.lead_id = o.lead_id and s.digest <> o.digest;
  end if;
  insert into mautic.lead_change (lane, lead_ids, cause, correlation_id)
  select 'backfill', array[id], 'suspect', 'comparison' from unnest(queued) id;
  update mautic.attachment s
  set compared_upto = coalesce(upto, s.compared_upto), compared_rows = s.compared_rows + page.met,
    unseen = s.unseen + cardinality(queued)
  where s.source = p_source;
end
$$;

comment on function mautic.compare_page(text, int) is
  'Compares the next p_limit rows of a source with what is known of them, and queues those that differ or are new.';

create function mautic.count_absent(p_source text, p_limit int, out is_last boolean)
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  page text[];
  absent_rows int;
begin
  select * into a from mautic.attachment s where s.source = p_source for update;
  page := array(
    select s.lead_id from mautic.lead_state s
    where s.source = p_source and s.gone_at is null and s.lead_id > coalesce(a.absent_upto, '')
    order by s.lead_id limit p_limit);
  select count(*) into absent_rows from mautic.absent_among(a, page);
  is_last := cardinality(page) < p_limit;
  update mautic.attachment s
  set absent = s.absent + absent_rows, absent_upto = coalesce(page[cardinality(page)], s.absent_upto)
  where s.source = p_source;
end
$$;

-- Their rows are not there, and no change of them waits to be seen.
create function mautic.absent_among(a mautic.attachment, p_lead_ids text[])
returns setof text
language plpgsql
volatile
set search_path = ''
as $$
begin
  return query execute format(
    $sql$with given as (select $1 as p_lead_ids), asked as materialized (select %s as keys from given), there as materialized (
      select %s as lead_id from asked, %s l where %s
    )
    select g.lead_id
    from unnest($1) g(lead_id)
    where not exists (select from there t where t.lead_id = g.lead_id)
      and not exists (select from mautic.logged_lead c where c.lead_id = g.lead_id)$sql$,
    mautic.keys_sql(a), mautic.role_sql(a.source, 'key'), mautic.table_of(a), mautic.where_sql(a)) using p_lead_ids;
end
$$;

comment on function mautic.absent_among(mautic.attachment, text[]) is 'Those of these leads of a source whose rows are gone, though no trigger saw them go.';
comment on function mautic.count_absent(text, int) is 'Looks for the next p_limit leads of a source in its table, and counts those that are gone.';

-- Begins a pass, or ends it.
create function mautic.turn_comparison(p_source text, p_begins boolean)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  if p_begins then
    with suspect as (
      delete from mautic.table_change t where t.source = p_source and t.cause = 'suspect' returning t.id
    )
    update mautic.attachment a
    set is_suspect = a.is_suspect or exists (select from suspect), comparing_since = mautic.clock(), compared_mark = mautic.table_mark(a.relation), compared_upto = null, absent_upto = null,
      compared_rows = 0, unseen = 0, absent = 0
    where a.source = p_source;
  else
    update mautic.attachment a
    set comparing_since = null, compared_at = mautic.clock(), is_rewriting = false, is_suspect = false, compared_upto = null, absent_upto = null
    where a.source = p_source;
  end if;
end
$$;

comment on function mautic.turn_comparison(text, boolean) is 'Begins a pass over a source''s table (true) or ends it.';

-- The rows by key, then the known leads by id.
create function mautic.compare_some(p_source text, p_until timestamptz)
returns void
language plpgsql
volatile
set search_path = ''
set row_security = off
as $$
declare
  a mautic.attachment;
begin
  loop
    select * into a from mautic.attachment s where s.source = p_source;
    exit when not mautic.is_comparison_due(a)
      -- With so much in the log each page would look through it for long.
      or exists (select from mautic.logged_lead offset 20000);
    -- By a column's type, and by the server's version, which no call of ours changes.
    if a.digest_of is distinct from mautic.digest_definition(a) then
      perform mautic.make_readers();
      perform mautic.note_digest(p_source);
      continue;
    end if;
    if a.comparing_since is null then
      perform mautic.turn_comparison(p_source, true);
    end if;
    if a.absent_upto is null then
      if mautic.compare_page(p_source, 40000) then
        -- Where as many are known as were met, none is absent.
        if (select count(*) from mautic.lead_state s where s.source = p_source and s.gone_at is null)
          > (select s.compared_rows from mautic.attachment s where s.source = p_source)
        then
          update mautic.attachment s set absent_upto = '' where s.source = p_source;
        else
          perform mautic.turn_comparison(p_source, false);
        end if;
      end if;
      -- A fold waits for rows whose digests were written, and pages follow the key, a fold the lead id: one page at a time.
      exit when a.is_rewriting;
    elsif mautic.count_absent(p_source, 2000) then
      perform mautic.turn_comparison(p_source, false);
    end if;
    exit when mautic.clock() > p_until;
  end loop;
end
$$;

comment on function mautic.compare_some(text, timestamptz) is 'Goes on with the comparison of a source, a page at least, until then.';

create function mautic.compare(p_patience interval default '2 seconds')
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  name text;
begin
  for name in select a.source from mautic.attachment a where a.read_to_end_at is not null order by a.compared_at nulls first loop
    begin
      perform mautic.compare_some(name, mautic.clock() + p_patience);
      update mautic.attachment a set read_problem = null where a.source = name and a.read_problem is not null;
    exception when others then
      update mautic.attachment a set read_problem = sqlerrm where a.source = name;
    end;
  end loop;
end
$$;

comment on function mautic.compare(interval) is
  'Compares attached tables with what is known of their leads, for p_patience each; nothing where there is nothing to compare. Run by cron.';
