-- How what Mautic tells of a person reaches a lead: the application's status column where attach was given one,
-- else mautic.lead_state. Writing the column calls nobody, but for a lead that became mailable again
-- (migration "outbox_triggers"). Written by attach; until then there are no leads.

create function mautic.lock_leads(p_lead_ids text[])
returns table (lead_id text, email_status text, email_status_changed_at timestamptz)
language plpgsql
volatile
security definer
set search_path = ''
as 'begin end';

comment on function mautic.lock_leads(text[]) is 'Locks these leads until the transaction ends and returns their status as it is then.';

create function mautic.free_leads(p_lead_ids text[])
returns setof text
language plpgsql
volatile
security definer
set search_path = ''
as 'begin end';

comment on function mautic.free_leads(text[]) is 'Locks those of these leads that nobody holds, without waiting, and returns them.';

create function mautic.write_email_status(p_lead_ids text[], p_statuses text[], p_changed_at timestamptz[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as 'begin end';

comment on function mautic.write_email_status(text[], text[], timestamptz[]) is 'Writes the status of these leads, and when it came about.';

create function mautic.delete_leads(p_lead_ids text[])
returns int
language plpgsql
volatile
security definer
set search_path = ''
as 'begin return 0; end';

comment on function mautic.delete_leads(text[]) is 'Deletes the rows of these leads; returns how many.';

create function mautic.lead_lock(p_lead_id text)
returns bigint
language sql
immutable
set search_path = ''
as $$
  select hashtextextended(p_lead_id, 4707216361003)
$$;

comment on function mautic.lead_lock(text) is 'Advisory lock key of a lead whose row shows no status, so that its row need not be locked.';

create function mautic.make_writers()
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  lead_id text;
  keys text;
  place text;
  lock_body text := '';
  free_body text := '';
  write_body text := '';
  delete_body text := '';
  opening constant text := E'declare\n  keys text[];\nbegin\n';
begin
  for a in select * from mautic.attachment s where s.relation is not null order by s.rank, s.source loop
    lead_id := mautic.role_sql(a.source, 'key');
    place := mautic.table_of(a);
    keys := format(E'  keys := %s;\n', mautic.keys_sql(a));
    if a.status_column is not null then
      -- One order for all who lock several: no deadlocks among deliveries.
      lock_body := lock_body || keys || format(
        E'  return query select %s, l.%I::text, %s from %s l where %s\n    order by l.%I for no key update;\n',
        lead_id, a.status_column,
        case
          when a.status_at_column is null
            then format('(select s.email_status_changed_at from mautic.lead_state s where s.lead_id = %s)', lead_id)
          else format('l.%I::timestamptz', a.status_at_column)
        end, place, mautic.where_sql(a), a.key_column);
      free_body := free_body || keys || format(
        E'  return query select %s from %s l where %s\n    order by l.%I for no key update skip locked;\n',
        lead_id, place, mautic.where_sql(a), a.key_column);
      -- The array as well as the join: whatever is guessed of its length, the key's index serves.
      write_body := write_body || keys || format(
        E'  update %1$s l set %2$I = w.status%3$s\n  from unnest(p_lead_ids, p_statuses, p_changed_at) as w(id, status, changed_at)\n'
        '  where %4$s = w.id and %5$s;\n',
        place, a.status_column,
        case when a.status_at_column is null then '' else format(', %I = w.changed_at', a.status_at_column) end,
        lead_id, mautic.where_sql(a));
    else
      lock_body := lock_body || keys || format(
        E'  perform pg_advisory_xact_lock(mautic.lead_lock(id)) from unnest(p_lead_ids) id order by id;\n'
        '  return query select %1$s, s.email_status, s.email_status_changed_at\n'
        '    from %2$s l left join mautic.lead_state s on s.lead_id = %1$s where %3$s;\n',
        lead_id, place, mautic.where_sql(a));
      free_body := free_body || keys || format(
        E'  return query select %1$s from %2$s l where %3$s and pg_try_advisory_xact_lock(mautic.lead_lock(%1$s));\n',
        lead_id, place, mautic.where_sql(a));
    end if;
    if a.status_column is null or a.status_at_column is null then
      write_body := write_body || format(
        E'  insert into mautic.lead_state as s (lead_id, source, email_status, email_status_changed_at)\n'
        '  select id, %L, w.status, w.changed_at from unnest(p_lead_ids, p_statuses, p_changed_at) as w(id, status, changed_at)\n'
        '  where %s\n  on conflict (lead_id) do update\n'
        '  set email_status = excluded.email_status, email_status_changed_at = excluded.email_status_changed_at;\n',
        a.source, mautic.is_of_sql(a));
    end if;
    delete_body := delete_body || keys || format(
      E'  delete from %s l where %s;\n  get diagnostics n = row_count;\n  deleted := deleted + n;\n',
      place, mautic.has_key_sql(a));
  end loop;

  perform mautic.make_function(
    'lock_leads', 'p_lead_ids text[]', 'table (lead_id text, email_status text, email_status_changed_at timestamptz)',
    'volatile set row_security = off', opening || lock_body || 'end');
  perform mautic.make_function(
    'free_leads', 'p_lead_ids text[]', 'setof text', 'volatile set row_security = off', opening || free_body || 'end');
  perform mautic.make_function(
    'write_email_status', 'p_lead_ids text[], p_statuses text[], p_changed_at timestamptz[]', 'void',
    'volatile set row_security = off',
    opening || write_body || 'end');
  perform mautic.make_function(
    'delete_leads', 'p_lead_ids text[]', 'int', 'volatile set row_security = off',
    E'declare\n  keys text[];\n  n int;\n  deleted int := 0;\nbegin\n' || delete_body || E'  return deleted;\nend');
end
$$;

comment on function mautic.make_writers() is 'Writes lock_leads, free_leads, write_email_status and delete_leads for the attached sources.';

-- What happened to a lead in Mautic.
create table mautic.lead_activity (
  id bigint generated always as identity primary key,
  lead_id text not null,
  type text not null,
  detail jsonb not null default '{}',
  occurred_at timestamptz not null default mautic.clock()
);

create index lead_activity_by_lead on mautic.lead_activity (lead_id, occurred_at desc);

comment on table mautic.lead_activity is
  'What happened to a lead in Mautic, one row for each applied change, never rewritten; of sources whose attach names no '
  'table of activities, and where that one refused the row.';

alter table mautic.lead_activity enable row level security;

create type mautic.activity as (lead_id text, type text, detail jsonb, occurred_at timestamptz);

comment on type mautic.activity is 'A row of the log of activities: {lead_id, type, detail, occurred_at}.';

create function mautic.source_of(p_lead_id text)
returns mautic.attachment
language sql
stable
set search_path = ''
as $$
  select a from mautic.attachment a
  where left(p_lead_id, length(a.prefix)) = a.prefix
  order by length(a.prefix) desc
  limit 1
$$;

comment on function mautic.source_of(text) is 'The source that a lead id is of: the longest prefix.';

-- Of one source, mostly the only one, the newest lead is the person; among sources each speaks for itself.
create function mautic.is_same_source(p_lead_id text, p_other text)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return (select count(*) from mautic.attachment) < 2
    or (mautic.source_of(p_lead_id)).source = (mautic.source_of(p_other)).source;
end
$$;

comment on function mautic.is_same_source(text, text) is 'Are these two leads of one source?';

create function mautic.note_activity(p_rows mautic.activity[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  place record;
  names text[];
begin
  for place in
    select (mautic.source_of(r.lead_id)).activity as name, array_agg(r) as rows
    from unnest(p_rows) r
    group by 1
  loop
    begin
      names := parse_ident(coalesce(place.name, 'mautic.lead_activity'));
      execute format(
        'insert into %I.%I (lead_id, type, detail, occurred_at) '
        'select r.lead_id, r.type, r.detail, coalesce(r.occurred_at, mautic.clock()) from unnest($1) r',
        names[1], names[2]) using place.rows;
    exception when others then
      -- The application's table may refuse; what happened is not lost for that.
      insert into mautic.lead_activity (lead_id, type, detail, occurred_at)
      select r.lead_id, r.type, r.detail, coalesce(r.occurred_at, mautic.clock()) from unnest(place.rows) r;
    end;
  end loop;
end
$$;

comment on function mautic.note_activity(mautic.activity[]) is 'Appends to the table of activities of each lead''s source, or to mautic.lead_activity.';

-- For history and erasure, wherever they were written.
create function mautic.read_activity(p_lead_ids text[])
returns setof mautic.activity
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  place text;
begin
  for place in
    select 'mautic.lead_activity' union select a.activity from mautic.attachment a where a.activity is not null
  loop
    if to_regclass(place) is not null then
      return query execute format(
        'select t.lead_id, t.type, t.detail, t.occurred_at from %I.%I t where t.lead_id = any ($1)',
        (parse_ident(place))[1], (parse_ident(place))[2]) using p_lead_ids;
    end if;
  end loop;
end
$$;

comment on function mautic.read_activity(text[]) is 'The activities of these leads, wherever they were written.';

create function mautic.erase_activity(p_lead_ids text[])
returns bigint
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  place text;
  n bigint;
  erased bigint := 0;
begin
  for place in
    select 'mautic.lead_activity' union select a.activity from mautic.attachment a where a.activity is not null
  loop
    if to_regclass(place) is not null then
      execute format(
        'delete from %I.%I t where t.lead_id = any ($1)', (parse_ident(place))[1], (parse_ident(place))[2]) using p_lead_ids;
      get diagnostics n = row_count;
      erased := erased + n;
    end if;
  end loop;
  return erased;
end
$$;

comment on function mautic.erase_activity(text[]) is 'Deletes the activities of these leads, wherever they were written; returns how many.';
