-- Tables that expressions read besides the lead's own: a change of one of their rows makes leads dirty.

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
  definition := pg_catalog.pg_get_viewdef(to_regclass('pg_temp.mautic_probe'), false);
  execute 'drop view pg_temp.mautic_probe';
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
  called constant text := case
    when cardinality(names) = 1 then format('public.%I', names[1]) else format('%I.%I', names[1], names[2]) end;
  there constant regclass := to_regclass(called);
  kind constant text := mautic.relation_kind(there);
  before record;
  event record;
  function text;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  select * into a from mautic.attachment s
  where (watch.source is null and s.prefix = '') or s.source = watch.source;
  if a.key_column is null then
    raise exception 'Attach the table of the leads first' using errcode = 'object_not_in_prerequisite_state';
  end if;
  if there is null or kind is not null then
    raise exception '% is %: only a table tells of its changes', watch."table", coalesce(kind, 'not there')
      using errcode = 'wrong_object_type';
  end if;
  -- Of another table of this name, or another name of this table.
  for before in
    delete from mautic.watched w
    where w.source = a.source and (w.place = called or w.relation = there)
    returning w.relation
  loop
    if before.relation <> there then
      perform mautic.drop_functions(format('^watch_%s_%s_(insert|update|delete)$', a.source, before.relation));
    end if;
  end loop;
  insert into mautic.watched (source, place, relation, given, expression)
  values (a.source, called, there, watch.lead, mautic.read_watch(there, watch.lead));
  perform mautic.make_watches(a);
  for event in
    select * from (values
      ('insert', 'referencing new table as new_row'),
      ('update', 'referencing old table as old_row new table as new_row'),
      ('delete', 'referencing old table as old_row')
    ) as e(name, tables)
  loop
    function := format('mautic.%I', format('watch_%s_%s_%s', a.source, there::oid, event.name));
    -- By its function: the application may have given it another name.
    if not exists (
      select from pg_catalog.pg_trigger t where t.tgrelid = there and t.tgfoid = function::regproc
    ) then
      perform mautic.run_patiently(there, format(
        'create trigger %I after %s on %s %s for each statement execute function %s()',
        format('mautic_watch_%s_%s', a.source, event.name), event.name, called, event.tables, function));
    end if;
  end loop;
  return format('%s: a change makes the leads dirty that it is about', called);
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
  left_over text;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
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
  left_over := mautic.drop_functions(format('^watch_%s_%s_(insert|update|delete)$', watched.source, watched.relation));
  delete from mautic.watched w where w.source = watched.source and w.place = watched.place;
  return format('%s is not watched any more%s', watched.place, left_over);
end
$$;

comment on function mautic.unwatch(text, text) is 'Ends mautic.watch(). Triggers that only the table''s owner may drop stay and do nothing, which the answer tells. Raises '
  'invalid_parameter_value for a table that is not watched.';
