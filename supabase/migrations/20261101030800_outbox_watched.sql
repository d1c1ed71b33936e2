-- Tables that expressions read besides the lead's own: a change of one of their rows makes leads dirty
-- (mautic.watch). What their triggers call is written with what else is written for a source.

create table mautic.watched (
  source text not null references mautic.attachment on delete cascade,
  place text not null,
  relation oid not null,
  given text not null,
  expression text not null,
  primary key (source, place)
);

comment on table mautic.watched is 'Tables that expressions of a source read (mautic.watch).';
comment on column mautic.watched.place is 'The table as it was called, qualified.';
comment on column mautic.watched.relation is 'The table whose triggers are ours. Another one of the same name is found by it.';
comment on column mautic.watched.expression is 'A query for the keys of the leads that read a row w, qualified.';

alter table mautic.watched enable row level security;

-- What goes through a function, a view or a table's parent cannot be told: all columns count then.
create function mautic.columns_in(p_relation regclass, p_select text)
returns name[]
language plpgsql
volatile
set search_path = ''
as $$
declare
  rule record;
  columns name[];
begin
  execute 'create temporary view mautic_probe as ' || p_select;
  select r.oid, r.ev_class, r.ev_action::text as tree into rule
  from pg_catalog.pg_rewrite r where r.ev_class = to_regclass('pg_temp.mautic_probe');
  select array_agg(distinct t.attname) into columns
  from pg_catalog.pg_depend d
  join pg_catalog.pg_attribute t on t.attrelid = d.refobjid and t.attnum = d.refobjsubid
  where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = rule.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = p_relation;
  if rule.tree ~ ':varattno 0 '
    or exists (select from pg_catalog.pg_inherits i where i.inhrelid = p_relation)
    or exists (
      select from pg_catalog.pg_depend d
      left join pg_catalog.pg_class c on d.refclassid = 'pg_catalog.pg_class'::regclass and c.oid = d.refobjid
      where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = rule.oid
        and (d.refclassid = 'pg_catalog.pg_proc'::regclass or (c.relkind not in ('r', 'p') and c.oid <> rule.ev_class)))
  then
    columns := null;
  end if;
  execute 'drop view pg_temp.mautic_probe';
  return columns;
exception when others then
  return null;
end
$$;

comment on function mautic.columns_in(regclass, text) is 'The columns of a table that a select reads; null: none, or it cannot be told.';

create function mautic.columns_watched(a mautic.attachment, w mautic.watched)
returns name[]
language plpgsql
volatile
set search_path = ''
as $$
declare
  expressions constant text := (
    select string_agg(format('(%s) as c%s', e.expression, e.number), ', ')
    from (
      select x.expression, row_number() over () as number
      from (
        select r.expression from mautic.role r
        where r.source = a.source and r.role not in ('changed_at', 'consent_at', 'value')
        union all
        select f.expression from mautic.field_map f where f.source = a.source
      ) x
      where x.expression is not null
    ) e);
  by_expressions constant name[] := mautic.columns_in(
    w.relation::regclass, format('select %s from %s l', expressions, mautic.table_of(a)));
  by_query constant name[] := mautic.columns_in(
    w.relation::regclass, format('select q.key from %s w cross join lateral (%s) q(key)', w.relation::regclass, w.expression));
begin
  return array(
    select t.attname from pg_catalog.pg_attribute t
    where t.attrelid = w.relation and t.attnum > 0 and not t.attisdropped
      and (by_expressions is null or by_query is null or t.attname = any (by_expressions || by_query))
    order by t.attnum);
end
$$;

comment on function mautic.columns_watched(mautic.attachment, mautic.watched) is
  'The columns of a watched table by which leads change: those that the source''s expressions or the query for the keys read.';

-- As many before as after: such rows changed in nothing that is read. A watched table may have no key to
-- compare old and new by.
create function mautic.changed_rows_sql(p_relation oid, p_columns name[])
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    $sql$(select r.* from (
      select c.*, sum(c."mautic: side") over (%s) as "mautic: more"
      from (select n.*, 1 as "mautic: side" from new_row n union all select o.*, -1 from old_row o) c
    ) r where r."mautic: more" <> 0)$sql$,
    coalesce('partition by ' || string_agg(mautic.comparable_sql(p_relation::regclass, 'c', name), ', '), ''))
  from unnest(p_columns) name
$$;

comment on function mautic.changed_rows_sql(oid, name[]) is
  'SQL for the rows of the transition tables new_row and old_row that differ in one of these columns.';

-- The functions alone: whoever watches makes the triggers, and the table may be somebody else's.
create function mautic.make_watches(a mautic.attachment)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  w mautic.watched;
  event record;
begin
  for w in
    select * from mautic.watched s
    where s.source = a.source and exists (select from pg_catalog.pg_class c where c.oid = s.relation)
  loop
    for event in
      select * from (values
        ('insert', 'new_row'),
        ('update', mautic.changed_rows_sql(w.relation, mautic.columns_watched(a, w))),
        ('delete', 'old_row')
      ) as e(name, rows)
    loop
      perform mautic.make_function(
        format('watch_%s_%s_%s', a.source, w.relation, event.name), '', 'trigger', 'volatile',
        mautic.trigger_body(a.source, format(
          $sql$with dirty as (
      select distinct q.key::%s as %I from %s w cross join lateral (%s) q(key) where q.key is not null
    )
    insert into mautic.lead_change (lane, lead_ids, cause, correlation_id)
    select %s, array[%s], 'suspect', given from dirty l;
    get diagnostics changes = row_count$sql$,
          a.key_type, a.key_column, event.rows, w.expression, mautic.lane_sql('live', 'dirty'), mautic.role_sql(a.source, 'key')), 'raise'));
    end loop;
  end loop;
end
$$;

comment on function mautic.make_watches(mautic.attachment) is
  'Writes the trigger functions mautic.watch_<source>_<oid>_<event>() of the tables that a source watches.';
