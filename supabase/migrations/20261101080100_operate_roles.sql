-- What a role of a source is: as attach names it, or by convention (migration "lead_convention").

-- The roles that a source may have, and what their expressions may be.
create function mautic.known_roles()
returns table (place int, role text, kinds text[], missing text)
language sql
immutable
set search_path = ''
as $$
  values
    (1, 'address', '{text}'::text[], 'without an address no lead of this table is sent: address => ''<column or expression over l>'''),
    (2, 'stage', '{text,number}', 'no lead is enrolled by its stage: stage => ''…'''),
    (3, 'consent', '{boolean,number,text,time}', 'consent is unknown for all of them, nobody is enrolled: consent => ''…'''),
    (4, 'consent_at', '{time}', 'it would only be kept, nothing reads it yet'),
    (5, 'score', '{number,text}', 'no lead is enrolled by its score: score => ''…'''),
    (6, 'value', '{number,text}', 'it would only be kept, nothing reads it yet'),
    (7, 'deleted', '{time,boolean}', 'only a row that is deleted is gone: deleted => ''…'''),
    (8, 'scope', '{boolean}', 'all rows are leads: scope => ''…'''),
    (9, 'changed_at', '{time}', 'a lead''s last change is when it was seen: changed_at => ''…''')
$$;

comment on function mautic.known_roles() is 'Roles by expression, the kinds of types they take, and what follows where one is missing.';

-- Columns that a convention recognises: those of the first line that meets any.
create function mautic.columns_by_convention(p_table regclass, p_role text)
returns name[]
language sql
stable
set search_path = ''
as $$
  with line as (
    select row_number() over () as number, c.kinds, c.names from mautic.conventions() c where c.role = p_role
  ), met as (
    select l.number, array_agg(a.attname order by a.attnum) as columns
    from line l
    join pg_catalog.pg_attribute a on a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
      and mautic.plain_name(a.attname) = any (l.names) and mautic.kind_of_type(a.atttypid) = any (l.kinds)
      -- A newsletter that is daily or weekly is no consent.
      and (p_role <> 'consent' or mautic.kind_of_type(a.atttypid) <> 'text' or not exists (
        select from unnest(mautic.said_values(p_table, a.attnum)) said where not mautic.is_consent_text(said)))
    group by l.number
  )
  select coalesce((select m.columns from met m order by m.number limit 1), '{}')
$$;

comment on function mautic.columns_by_convention(regclass, text) is 'The columns that mautic.conventions() recognises as p_role.';

create function mautic.relation_kind(p_table regclass)
returns text
language sql
stable
set search_path = ''
as $$
  select case c.relkind
    when 'v' then 'a view' when 'm' then 'a materialized view' when 'f' then 'a foreign table'
    when 'S' then 'a sequence' when 'c' then 'a type' when 'i' then 'an index' else 'no table'
  end
  from pg_catalog.pg_class c where c.oid = p_table and c.relkind not in ('r', 'p')
$$;

comment on function mautic.relation_kind(regclass) is 'What it is instead of a table; null: it is one.';

create function mautic.check_table(p_table regclass)
returns void
language plpgsql
stable
set search_path = ''
as $$
declare
  kind constant text := mautic.relation_kind(p_table);
  found record;
begin
  if kind is not null then
    raise exception '% is %: only a table tells of its changes. Attach the table behind it and read others by expressions '
      'with mautic.watch(); of a foreign table or a materialized view fill a table of your own (docs/adapt.md).', p_table, kind
      using errcode = 'wrong_object_type';
  end if;
  select c.relpersistence, c.relrowsecurity and c.relforcerowsecurity as is_forced, c.relowner::regrole::text as owner,
    pg_has_role(current_user, c.relowner, 'usage') as is_owner, n.nspname
  into found
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where c.oid = p_table;
  if found.relpersistence = 't' or found.nspname in ('mautic', 'pg_catalog', 'information_schema') then
    raise exception '% is no table of the application''s', p_table using errcode = 'wrong_object_type';
  end if;
  if not found.is_owner then
    raise exception 'role % does not own %, %s does. Remedy: grant % to %; or alter table % owner to %;',
      current_user, p_table, found.owner, found.owner, current_user, p_table, current_user
      using errcode = 'insufficient_privilege';
  end if;
  if not pg_has_role(current_user, (select n.nspowner from pg_catalog.pg_namespace n where n.nspname = 'mautic'), 'usage') then
    raise exception 'attach is called by who owns schema mautic (%), not by %',
      (select n.nspowner::regrole from pg_catalog.pg_namespace n where n.nspname = 'mautic'), current_user
      using errcode = 'insufficient_privilege';
  end if;
  if found.is_forced and not (select r.rolbypassrls or r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user) then
    raise exception 'Row level security of % is forced upon its owner, too: leads would be hidden from the sync. Remedy: '
      'alter table % no force row level security;', p_table, p_table
      using errcode = 'insufficient_privilege';
  end if;
end
$$;

comment on function mautic.check_table(regclass) is 'Raises wrong_object_type or insufficient_privilege for what cannot be attached, with the remedy.';

-- The key: what the call names, else the primary key, else the only column that is unique and not null.
create function mautic.key_of_table(p_table regclass, p_given text, out key_column name, out why text)
returns record
language plpgsql
stable
set search_path = ''
as $$
declare
  keys name[];
begin
  if p_given is not null then
    select a.attname into key_column from pg_catalog.pg_attribute a
    where a.attrelid = p_table and a.attnum > 0 and not a.attisdropped
      and (a.attname = p_given or p_given in ('l.' || a.attname, 'l.' || quote_ident(a.attname), quote_ident(a.attname)));
    if key_column is null then
      raise exception 'key => %: % has no such column. A key is one column.', p_given, p_table using errcode = 'undefined_column';
    end if;
  end if;

  select array_agg(distinct a.attname) into keys
  from pg_catalog.pg_index i
  join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
  where i.indrelid = p_table and i.indisunique and i.indisvalid and i.indpred is null and i.indnkeyatts = 1
    and i.indkey[0] > 0 and a.attnotnull and (key_column is null or a.attname = key_column)
    and (i.indisprimary or key_column is not null or not exists (
      select from pg_catalog.pg_index p where p.indrelid = p_table and p.indisprimary and p.indnkeyatts = 1));
  if cardinality(keys) = 1 then
    why := case when key_column is null then 'unique and not null' else 'named' end;
    key_column := keys[1];
    return;
  end if;
  if cardinality(keys) > 1 then
    raise exception '% has several keys (%). Say which: key => ''%''', p_table, array_to_string(keys, ', '), keys[1]
      using errcode = 'ambiguous_column';
  end if;

  -- A partitioned table's keys hold the column by which it is partitioned: that one alone is unique the
  -- operator vouches for by naming it.
  if key_column is not null and exists (
    select from pg_catalog.pg_class c join pg_catalog.pg_index i on i.indrelid = c.oid and i.indisunique
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = key_column and a.attnotnull
    where c.oid = p_table and c.relkind = 'p' and a.attnum = any (i.indkey)
  ) then
    why := 'named; unique only together with the column of the partitions, as far as Postgres knows';
    return;
  end if;
  if exists (select from pg_catalog.pg_index i where i.indrelid = p_table and i.indisprimary and i.indnkeyatts > 1) then
    raise exception 'The primary key of % has several columns (%). Say which one of them is unique by itself: key => ''…'', '
      'or add one: alter table % add column lead_id uuid not null default gen_random_uuid() unique;', p_table,
      (select string_agg(a.attname, ', ') from pg_catalog.pg_index i
        join pg_catalog.pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey)
        where i.indrelid = p_table and i.indisprimary), p_table
      using errcode = 'invalid_table_definition';
  end if;
  raise exception '% has no key: %. Remedy: alter table % add primary key (%);', p_table,
    case when key_column is null then 'no column is unique and not null'
      else format('column %s is not unique and not null', key_column) end, p_table,
    coalesce(quote_ident(key_column), 'id')
    using errcode = 'invalid_table_definition';
end
$$;

comment on function mautic.key_of_table(regclass, text) is 'The column that tells the rows of a table apart, and why. Raises with the remedy where there is none, or no one.';

-- Asked of a row of which nothing is known, whatever way the expression has of saying "x is not null". A generated column
-- is asked for what generates it.
create function mautic.takes_silence_as_no(p_table regclass, p_read mautic.expression)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
declare
  said text := p_read.text;
  said_no boolean;
begin
  select pg_get_expr(d.adbin, d.adrelid) into said
  from pg_catalog.pg_attribute t
  join pg_catalog.pg_attrdef d on d.adrelid = t.attrelid and d.adnum = t.attnum
  where t.attrelid = p_table and t.attgenerated <> '' and format('l.%I', t.attname) = p_read.text;
  execute format(
    'select not (%s) from (select) one left join %s l on false',
    mautic.value_sql('consent', coalesce(said, p_read.text), p_read.type), p_table) into said_no;
  return coalesce(said_no, false);
exception when others then
  return false;
end
$$;

comment on function mautic.takes_silence_as_no(regclass, mautic.expression) is
  'Does this consent say no of a row that says nothing?';

-- What a role is by this call, or by convention; kept in mautic.role.
create function mautic.resolve_role(a mautic.attachment, p_role text, p_kinds text[], p_missing text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  given constant text := a.declared ->> p_role;
  columns name[];
  found mautic.expression;
  why text := 'named';
begin
  if given is null then
    columns := mautic.columns_by_convention(a.relation, p_role);
    if cardinality(columns) > 1 then
      raise exception '% could be % of %. Say which: % => ''%''; or % => '''' for none.', array_to_string(columns, ' or '),
        p_role, a.relation::regclass, p_role, columns[1], p_role
        using errcode = 'ambiguous_column';
    end if;
    if columns = '{}' then
      insert into mautic.role (source, role, why, remedy) values (a.source, p_role, 'no column looks like it', p_missing);
      return;
    end if;
    why := 'by its name and type';
  elsif btrim(given) = '' then
    insert into mautic.role (source, role, given, why) values (a.source, p_role, given, 'named as none');
    return;
  end if;

  found := mautic.read_expression(a.relation, p_role, coalesce(given, columns[1]));
  if not coalesce(mautic.kind_of_type(found.type) = any (p_kinds), false) then
    raise exception '% => %: it is of type %, and % is needed. Write an expression that gives one.', p_role,
      coalesce(given, columns[1]), format_type(found.type, null), array_to_string(p_kinds, ', ')
      using errcode = 'datatype_mismatch';
  end if;
  if p_role = 'consent' and mautic.takes_silence_as_no(a.relation, found) then
    raise exception 'consent => %: where there is nothing this says no, and everybody who was never asked would be opted '
      'out. Say consent => ''<the column>'' (a time: given then; nothing: unknown), or a case with yes, no and null.', coalesce(given, columns[1])
      using errcode = 'invalid_parameter_value';
  end if;
  insert into mautic.role (source, role, given, expression, type, columns, tables, why)
  values (a.source, p_role, given, found.text, found.type, found.columns, coalesce(found.tables, '{}'), why);
end
$$;

comment on function mautic.resolve_role(mautic.attachment, text, text[], text) is
  'Finds a role of a source. Raises ambiguous_column for two candidates, datatype_mismatch, and what read_expression() raises.';
