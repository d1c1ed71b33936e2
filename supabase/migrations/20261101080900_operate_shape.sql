-- Does everything that is declared still exist and read? For doctor, status, and `deno task check` in a pull request.

create function mautic.attach_statement(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select format('select mautic.attach(%L%s);', a.declared ->> 'table', coalesce((
    select string_agg(format(', %s => %L', d.key, d.value), '' order by w.place)
    from jsonb_each_text(a.declared) d
    join unnest('{source,rank,key,address,stage,consent,consent_at,score,value,status,deleted,scope,changed_at,activity}'::text[])
      with ordinality as w(name, place) on w.name = d.key
  ), ''))
$$;

comment on function mautic.attach_statement(mautic.attachment) is 'The statement that attached a source, which reads its table anew.';

-- What keeps an expression from being read, or null.
create function mautic.trouble_of(a mautic.attachment, p_expression text, p_type oid)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  is_type regtype;
begin
  execute format('select pg_typeof((select %s from %s l limit 0))', p_expression, mautic.table_of(a)) into is_type;
  if mautic.kind_of_type(is_type) is distinct from mautic.kind_of_type(p_type) then
    return format('it is of type %s and was %s', is_type, p_type::regtype);
  end if;
  return null;
exception when others then
  return sqlerrm;
end
$$;

comment on function mautic.trouble_of(mautic.attachment, text, oid) is 'Why an expression over a source''s table cannot be read as it was; null: it can.';

create function mautic.watch_statement(w mautic.watched)
returns text
language sql
stable
set search_path = ''
as $$
  select format('select mautic.watch(%L, lead => %L%s);', w.place, w.given,
    case when a.prefix = '' then '' else format(', source => %L', a.source) end)
  from mautic.attachment a where a.source = w.source
$$;

comment on function mautic.watch_statement(mautic.watched) is 'The statement that watches a table, which reads it anew.';

create function mautic.check_watched(w mautic.watched)
returns table (name text, problem text, remedy text)
language plpgsql
stable
set search_path = ''
as $$
declare
  again constant text := mautic.watch_statement(w);
begin
  if to_regclass(w.place)::oid is distinct from w.relation then
    return query select w.place, 'the watched table is gone, or another one has its name: changes are not seen'::text, again;
    return;
  end if;
  begin
    execute format('select q.key from %s w cross join lateral (%s) q(key) limit 0', w.place, w.expression);
  exception when others then
    return query select w.place, 'the query for its leads does not read: ' || sqlerrm, again;
  end;
  return query
    select format('mautic_watch_%s_%s', w.source, e.event),
      case when t.oid is null then 'the trigger is missing: changes are not seen' else 'the trigger is disabled: changes are not seen' end,
      case when t.oid is null then again else format('alter table %s enable trigger %I;', w.place, t.tgname) end
    from unnest(array['insert', 'update', 'delete']) e(event)
    left join pg_catalog.pg_trigger t on t.tgrelid = w.relation
      and t.tgfoid = to_regproc(format('mautic.%I', format('watch_%s_%s_%s', w.source, w.relation, e.event)))
    where t.oid is null or t.tgenabled in ('D', 'R');
end
$$;

comment on function mautic.check_watched(mautic.watched) is
  'What of a watched table does not exist or read any more: the name of the part, a sentence, the remedy.';

create function mautic.check_source(a mautic.attachment)
returns table (name text, problem text, remedy text)
language plpgsql
stable
set search_path = ''
as $$
declare
  again constant text := mautic.attach_statement(a);
  there constant regclass := to_regclass(mautic.table_of(a));
begin
  if there is null then
    return query select mautic.table_of(a),
      case when a.relation is null then 'the table is not there yet'
        else 'the table is gone' || coalesce(': it is called ' || c.name || ' now', '') end,
      case when c.name is null then format('Make the table, or: select mautic.detach(%L);', a.source)
        else mautic.attach_statement(jsonb_populate_record(a, jsonb_build_object(
          'declared', a.declared || jsonb_build_object('table', c.name, 'source', a.source))))
      end
    from (select) one
    left join (
      select format('%I.%I', n.nspname, c.relname) as name
      from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = a.relation
    ) c on true;
    return;
  end if;
  if a.relation is distinct from there::oid then
    return query select mautic.table_of(a),
      case when a.relation is null then coalesce(a.problem, 'the table is not attached yet')
        else 'another table has this name now: writes to it are not seen' end,
      again;
    return;
  end if;
  return query
    select part.name, part.name || ': ' || trouble, part.remedy
    from (
      select r.role as name, r.expression, r.type, again as remedy from mautic.role r where r.source = a.source
      union all
      select f.alias, f.expression, f.value_type,
        case when f.is_standard then again
          else format('select mautic.map_field(%L, %L%s);', f.alias, f.given, case when a.prefix = '' then '' else format(', %L', a.source) end)
        end
      from mautic.field_map f where f.source = a.source
      union all
      select a.status_column, format('l.%I', a.status_column), 'pg_catalog.text'::regtype, again where a.status_column is not null
    ) part
    cross join lateral mautic.trouble_of(a, part.expression, part.type) trouble
    where part.expression is not null and trouble is not null;
  return query
    select 'key', format('the key %s is of type %s and was %s', a.key_column, format_type(t.atttypid, -1), a.key_type), again
    from pg_catalog.pg_attribute t
    where t.attrelid = a.relation and t.attname = a.key_column and format_type(t.atttypid, -1) <> a.key_type;
  return query
    select format('mautic_%s_%s', a.source, e.event),
      case when t.oid is null then 'the trigger is missing: changes are not seen' else 'the trigger is disabled: changes are not seen' end,
      case when t.oid is null then again else format('alter table %s enable trigger %I;', mautic.table_of(a), t.tgname) end
    from unnest(array['insert', 'update', 'delete', 'truncate']) e(event)
    -- By its function, as attach finds it: the application may have given it another name.
    left join (
      pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid and p.pronamespace = 'mautic'::regnamespace
    ) on t.tgrelid = a.relation and p.proname = format('log_%s_%s', a.source, e.event)
    where t.oid is null or t.tgenabled in ('D', 'R');
  if a.generated_version is distinct from mautic.generated_version() then
    return query select mautic.table_of(a), 'readers and triggers were written by another version of the migrations'::text, again;
  end if;
  return query
    select mautic.table_of(a), p, again from unnest(array[a.problem, 'its rows cannot be read: ' || a.read_problem]) p where p is not null;
end
$$;

comment on function mautic.check_source(mautic.attachment) is 'What of a source does not exist or read any more: the name of the part, a sentence, the remedy.';

create function mautic.check_shape()
returns table (source text, place text, name text, problem text, remedy text)
language sql
stable
security definer
set search_path = ''
set row_security = off
as $$
  select a.source, mautic.table_of(a), c.name, c.problem, c.remedy
  from mautic.attachment a cross join lateral mautic.check_source(a) c
  union all
  select a.source, mautic.table_of(a), r.role, 'nothing gives the address, so no lead of this table is sent',
    format('select mautic.attach(%L, source => %L, address => ''<column or expression over l>'');', a.declared ->> 'table', a.source)
  from mautic.attachment a
  join mautic.role r on r.source = a.source and r.role = 'address' and r.expression is null and r.given is null
  union all
  select a.source, mautic.table_of(a), a.key_column, a.overlong || ' changes of rows were met whose keys are too long for an index: these rows are not sent',
    'Nothing, where that was meant; else name a shorter column that is unique as the key: ' || mautic.attach_statement(a)
  from mautic.attachment a where a.overlong > 0
  union all
  select a.source, mautic.table_of(a), 'rows', a.unseen || ' rows were written past the triggers; they were queued',
    'Nothing, where that was meant (replication, a loader); else see that the table''s triggers are enabled.'
  from mautic.attachment a where a.unseen > 0
  union all
  select a.source, mautic.table_of(a), 'rows', a.absent || ' leads have no row any more, and no trigger saw them go',
    format('select mautic.drop_absent(%L); then with confirm => true', a.source)
  from mautic.attachment a where a.absent > 0
  union all
  select w.source, w.place, c.name, c.problem, c.remedy
  from mautic.watched w cross join lateral mautic.check_watched(w) c
  order by 1, 2, 3
$$;

comment on function mautic.check_shape() is
  'Everything declared that does not exist or read any more; no row where all is well. Changes nothing.';
