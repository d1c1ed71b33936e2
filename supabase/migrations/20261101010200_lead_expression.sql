-- Expressions over a row of the application's table: what attach and map_field are given. Called by who
-- owns the table and run with nobody else's rights; what is kept is what Postgres made of it, so that
-- a pasted text cannot be more than one expression.

create type mautic.expression as (text text, type oid, columns name[], tables text[]);

comment on type mautic.expression is
  'An expression that was read. text: as Postgres prints it, qualified, the row named l; columns: of the row; '
  'tables: others that it reads.';

create function mautic.base_type(p_type oid)
returns oid
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    with recursive base as (
      select t.oid, t.typtype, t.typbasetype from pg_catalog.pg_type t where t.oid = p_type
      union all
      select t.oid, t.typtype, t.typbasetype
      from base b join pg_catalog.pg_type t on t.oid = b.typbasetype where b.typtype = 'd'
    )
    select b.oid from base b where b.typtype <> 'd');
end
$$;

comment on function mautic.base_type(oid) is 'What a domain is made of in the end; other types as they are.';

-- What a value of this type can be to us, domains by what they are made of.
create function mautic.kind_of_type(p_type oid)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when b.oid = 'pg_catalog.bool'::regtype then 'boolean'
    when b.oid in (
      'pg_catalog.int2'::regtype, 'pg_catalog.int4'::regtype, 'pg_catalog.int8'::regtype,
      'pg_catalog.numeric'::regtype, 'pg_catalog.float4'::regtype, 'pg_catalog.float8'::regtype,
      'pg_catalog.money'::regtype
    ) then 'number'
    when b.oid in (
      'pg_catalog.timestamptz'::regtype, 'pg_catalog.timestamp'::regtype, 'pg_catalog.date'::regtype
    ) then 'time'
    -- Strings, enums, network addresses, times of day and spans.
    when b.oid = 'pg_catalog.uuid'::regtype or b.typcategory in ('S', 'E', 'I', 'D', 'T') then 'text'
  end
  from pg_catalog.pg_type b
  where b.oid = mautic.base_type(p_type)
$$;

comment on function mautic.kind_of_type(oid) is
  'boolean, number, time or text; null: nothing that a contact field holds (json, arrays, rows, bytes).';

-- Under an empty search path and with a fixed ending, so that what Postgres prints can be cut out.
create function mautic.read_expression(p_table regclass, p_role text, p_given text)
returns mautic.expression
language plpgsql
volatile
set search_path = ''
set quote_all_identifiers = off
as $$
declare
  place constant text := (
    select format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.oid = p_table);
  is_column constant boolean := exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = p_table and a.attname = p_given and a.attnum > 0 and not a.attisdropped);
  said constant text := case when is_column then format('l.%I', p_given) else p_given end;
  -- A line of its own: a comment at the end cannot swallow what follows. Beside a second relation Postgres
  -- prints every column qualified; since 16 it would not beside none.
  query constant text := format(E'select (\n%s\n) as mautic_probe from %s l, (select) mautic_nothing', said, place);
  ending constant text := format(E' AS mautic_probe\n   FROM %s l,\n    ( SELECT) mautic_nothing;', place);
  probe refcursor;
  view oid;
  rule record;
  definition text;
  found mautic.expression;
  bad text;
begin
  if btrim(coalesce(p_given, '')) = '' then
    raise exception '% => %: name a column, or write an expression over the row l', p_role, coalesce(quote_literal(p_given), 'null')
      using errcode = 'invalid_parameter_value';
  end if;
  begin
    -- A cursor takes one statement that gives rows: a second one is refused before the first has run.
    open probe for execute query || ' limit 0';
    close probe;
    execute 'create temporary view mautic_probe as ' || query;
  exception when others then
    raise exception '% => %: %', p_role, p_given, sqlerrm
      using errcode = sqlstate, hint = 'The row is l, as in l.email; a function or type of your own is written with its schema.';
  end;
  view := to_regclass('pg_temp.mautic_probe');
  definition := pg_catalog.pg_get_viewdef(view, false);
  select r.oid, r.ev_action::text as tree into rule from pg_catalog.pg_rewrite r where r.ev_class = view;

  -- A case begins on a line of its own. Another select that was joined to this one is seen by its name in what is left.
  found.text := btrim(substr(definition, 8, length(definition) - 7 - length(ending)), E' \n');
  if (select count(*) from pg_catalog.pg_attribute a where a.attrelid = view and a.attnum > 0) <> 1
    or definition !~ '^ SELECT\s' or right(definition, length(ending)) <> ending or found.text like '% AS mautic_probe%'
  then
    raise exception '% => %: this is not one expression over a row of %', p_role, p_given, place
      using errcode = 'syntax_error';
  end if;

  -- pg_depend knows nothing of Postgres' own functions; the stored tree names them all. A set within a select of its own
  -- is that select's.
  select string_agg(distinct p.oid::regprocedure::text, ', ') into bad
  from regexp_matches(rule.tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') m
  join pg_catalog.pg_proc p on p.oid = m[1]::oid
  where p.provolatile = 'v' or (p.proretset and rule.tree ~ '^\(\{QUERY [^{]*:hasTargetSRFs true');
  if bad is not null then
    raise exception '% => %: % gives another value each time, or several', p_role, p_given, bad
      using errcode = 'invalid_parameter_value';
  end if;

  if rule.tree ~ '^\(\{QUERY [^{]*:has(Aggs|WindowFuncs) true' then
    raise exception '% => %: this is about many rows of %, not about one', p_role, p_given, place
      using errcode = 'grouping_error';
  end if;
  if rule.tree ~ ':varattno -\d' or rule.tree ~ ':rowMarks \(' then
    raise exception '% => %: a system column is none of the application''s, and a read locks no rows', p_role, p_given
      using errcode = 'invalid_parameter_value';
  end if;

  select a.atttypid into found.type from pg_catalog.pg_attribute a where a.attrelid = view and a.attnum = 1;
  select array_agg(distinct a.attname order by a.attname) into found.columns
  from pg_catalog.pg_attribute a
  where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
    and (
      -- The row as a whole means all of its columns.
      rule.tree ~ ':varattno 0 '
      or a.attnum in (
        select d.refobjsubid from pg_catalog.pg_depend d
        where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = rule.oid
          and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid = p_table));
  found.columns := coalesce(found.columns, '{}');
  select array_agg(distinct d.refobjid::regclass::text) into found.tables
  from pg_catalog.pg_depend d
  where d.classid = 'pg_catalog.pg_rewrite'::regclass and d.objid = rule.oid
    and d.refclassid = 'pg_catalog.pg_class'::regclass and d.refobjid not in (p_table, view);
  execute 'drop view pg_temp.mautic_probe';
  return found;
end
$$;

comment on function mautic.read_expression(regclass, text, text) is
  'Reads what stands for p_role: the name of a column, or an expression over the row l. Raises what Postgres says '
  'of it, syntax_error for what is more or less than one expression, invalid_parameter_value for one that is '
  'volatile, gives a set, reads a system column or locks rows, grouping_error for an aggregate of the rows.';
