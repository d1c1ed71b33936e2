-- Tables that expressions read besides the lead's own: a change of one of their rows makes leads dirty.

create table mautic.watched (
  relation oid not null,
  source text not null references mautic.attachment on delete cascade,
  place text not null,
  given text not null,
  expression text not null,
  primary key (relation, source)
);

comment on table mautic.watched is 'Tables that expressions of a source read (mautic.watch).';
comment on column mautic.watched.expression is 'A query for the keys of the leads that read a row w, qualified.';

alter table mautic.watched enable row level security;

-- One query that gives one column, over a row w. As read_expression() does for one value.
create function mautic.read_watch(p_table regclass, p_given text)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  place constant text := (
    select format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table);
  query constant text := format(E'select k.* from %s w cross join lateral (\n%s\n) as k(mautic_key)', place, p_given);
  probe refcursor;
  definition text;
  opening constant text := format(E' SELECT k.mautic_key\n   FROM (%s w\n     CROSS JOIN LATERAL ( ', place);
  ending constant text := ') k(mautic_key));';
begin
  begin
    open probe for execute query || ' limit 0';
    close probe;
    execute 'create temporary view mautic_probe as ' || query;
  exception when others then
    raise exception 'lead => %: %', p_given, sqlerrm
      using errcode = sqlstate, hint = 'A query for the keys of the leads that a changed row w is about; names are written with their schema.';
  end;
  definition := pg_catalog.pg_get_viewdef('pg_temp.mautic_probe'::regclass, false);
  drop view pg_temp.mautic_probe;
  if left(definition, length(opening)) <> opening or right(definition, length(ending)) <> ending then
    raise exception 'lead => %: this is not one query for keys', p_given using errcode = 'syntax_error';
  end if;
  return substr(definition, length(opening) + 1, length(definition) - length(opening) - length(ending));
end
$$;

comment on function mautic.read_watch(regclass, text) is 'Reads a query over the row w. Raises what Postgres says of it, or syntax_error.';

create function mautic.watch("table" text, lead text, source text default null)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  names constant text[] := parse_ident(watch."table");
  place constant text := case
    when cardinality(names) = 1 then format('public.%I', names[1]) else format('%I.%I', names[1], names[2]) end;
  relation constant regclass := to_regclass(place);
  kind constant text := mautic.relation_kind(relation);
  query text;
  what text;
  event record;
begin
  select * into a from mautic.attachment s
  where (watch.source is null and s.prefix = '') or s.source = watch.source;
  if a.key_column is null then
    raise exception 'Attach the table of the leads first' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if relation is null or kind is not null then
    raise exception '% is %: only a table tells of its changes', watch."table", coalesce(kind, 'not there')
      using errcode = 'wrong_object_type';
  end if;
  query := mautic.read_watch(relation, watch.lead);
  insert into mautic.watched as w (relation, source, place, given, expression)
  values (relation, a.source, place, watch.lead, query)
  on conflict on constraint watched_pkey do update
  set place = excluded.place, given = excluded.given, expression = excluded.expression;

  what := format(
    $sql$insert into mautic.lead_change (lane, lead_id, cause, correlation_id)
    select %s, %s, 'suspect', correlation
    from (select distinct q.key::%s as %I from mautic_rows w cross join lateral (%s) q(key) where q.key is not null) l$sql$,
    mautic.lane_sql('live', 'mautic_rows w'), mautic.role_sql(a.source, 'key'), a.key_type, a.key_column, query);
  for event in
    select * from (values
      ('insert', 'referencing new table as new_row', 'new_row'),
      ('update', 'referencing old table as old_row new table as new_row', '(select * from new_row union all select * from old_row)'),
      ('delete', 'referencing old table as old_row', 'old_row')
    ) as e(name, tables, rows)
  loop
    perform mautic.make_function(
      format('watch_%s_%s_%s', a.source, relation::oid, event.name), '', 'trigger', 'volatile',
      mautic.trigger_body(a.source, replace(what, 'mautic_rows', event.rows), 'raise'));
    if not exists (
      select from pg_catalog.pg_trigger t
      where t.tgrelid = relation and t.tgname = format('mautic_watch_%s_%s', a.source, event.name)
    ) then
      perform mautic.run_patiently(relation, format(
        'create trigger %I after %s on %s %s for each statement execute function mautic.%I()',
        format('mautic_watch_%s_%s', a.source, event.name), event.name, place, event.tables,
        format('watch_%s_%s_%s', a.source, relation::oid, event.name)));
    end if;
  end loop;
  return format('%s: a change makes the leads dirty that it is about', place);
end
$$;

comment on function mautic.watch(text, text, text) is
  'Watches a table that expressions of a source read. lead: a query for the keys of the leads that a row w is about. Needs '
  'TRIGGER and SELECT on the table. Raises wrong_object_type, syntax_error, lock_not_available, and what Postgres says of the query.';

create function mautic.unwatch("table" text, source text default null)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  watched mautic.watched;
  event text;
begin
  select w.* into watched from mautic.watched w
  join mautic.attachment a on a.source = w.source
  where w.place = (select case when cardinality(n) = 1 then format('public.%I', n[1]) else format('%I.%I', n[1], n[2]) end
      from parse_ident(unwatch."table") n)
    and ((unwatch.source is null and a.prefix = '') or w.source = unwatch.source);
  if watched.source is null then
    raise exception '% is not watched. There are: %', unwatch."table",
      coalesce((select string_agg(w.place, ', ') from mautic.watched w), 'none')
      using errcode = 'invalid_parameter_value';
  end if;
  foreach event in array array['insert', 'update', 'delete'] loop
    if exists (select from pg_catalog.pg_class c where c.oid = watched.relation) then
      perform mautic.run_patiently(watched.relation, format(
        'drop trigger if exists %I on %s', format('mautic_watch_%s_%s', watched.source, event), watched.relation::regclass));
    end if;
    execute format('drop function if exists mautic.%I()', format('watch_%s_%s_%s', watched.source, watched.relation, event));
  end loop;
  delete from mautic.watched w where w.relation = watched.relation and w.source = watched.source;
  return format('%s is not watched any more', watched.place);
end
$$;

comment on function mautic.unwatch(text, text) is 'Ends mautic.watch(). Raises invalid_parameter_value for a table that is not watched.';
