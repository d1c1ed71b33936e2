-- Attaching a table: the one way for its rows to become leads. Called in a migration of the application's own, by
-- who owns the table, and with nobody else's rights. It decides by names, types, checks and defaults only,
-- so that it does the same everywhere; what the rows or Mautic say are findings of doctor.

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

-- What a field's value comes from: the name of a column, else of a role (score, stage, key …), else of a line of
-- mautic.conventions(), else an expression. A standard field is a role or a convention, or nothing.
create function mautic.resolve_field(a mautic.attachment, p_alias text, p_given text, p_is_standard boolean)
returns mautic.expression
language plpgsql
volatile
set search_path = ''
as $$
declare
  role mautic.role;
  columns constant name[] := mautic.columns_by_convention(a.relation, p_given);
  is_column constant boolean := p_given <> 'key' and exists (
    select from pg_catalog.pg_attribute t
    where t.attrelid = a.relation and t.attname = p_given and t.attnum > 0 and not t.attisdropped);
begin
  if p_is_standard or not is_column then
    select r.* into role from mautic.role r where r.source = a.source and r.role = p_given;
    if role.role is not null then
      return row(role.expression, role.type, role.columns, '{}'::text[])::mautic.expression;
    end if;
    if cardinality(columns) = 1 then
      return mautic.read_expression(a.relation, p_alias, columns[1]);
    end if;
    if p_is_standard then
      return null;
    end if;
  end if;
  return mautic.read_expression(a.relation, p_alias, p_given);
end
$$;

comment on function mautic.resolve_field(mautic.attachment, text, text, boolean) is
  'The expression that gives a field of a source; without a text where a standard field has none. Raises what read_expression() raises.';

create function mautic.check_field(p_alias text, p_given text, p_read mautic.expression)
returns void
language plpgsql
stable
set search_path = ''
as $$
begin
  if p_read.text is not null and mautic.kind_of_type(p_read.type) is null then
    raise exception '% => %: it is of type %, which no contact field holds. Write an expression that gives a text, a number, '
      'a time or a boolean, such as l.%->>''…''.', p_alias, p_given, format_type(p_read.type, null), coalesce(p_read.columns[1], 'column')
      using errcode = 'datatype_mismatch';
  end if;
end
$$;

comment on function mautic.check_field(text, text, mautic.expression) is 'Raises datatype_mismatch for json, arrays, rows and bytes.';

create function mautic.field_type(p_alias text, p_given text, p_type oid)
returns mautic.field_type
language sql
stable
set search_path = ''
as $$
  select case
    when mautic.kind_of_type(p_type) = 'number' then 'number'
    else coalesce((
      select f.type from mautic.standard_fields() f where f."from" = p_given or f.alias = p_alias
      order by f."from" = p_given desc limit 1), 'text')
  end
$$;

comment on function mautic.field_type(text, text, oid) is 'As what a field that map_field() gives is sent: a number where it is one, or where the standard field is.';

-- All fields of a source anew: the standard ones, and those that map_field() gave, which go before.
create function mautic.write_fields(a mautic.attachment)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  field record;
  read mautic.expression;
begin
  delete from mautic.field_map f where f.source = a.source and f.is_standard;
  for field in select * from mautic.standard_fields() loop
    continue when exists (select from mautic.field_map f where f.source = a.source and f.alias = field.alias);
    read := mautic.resolve_field(a, field.alias, field."from", true);
    if mautic.kind_of_type(read.type) is null then
      read := null;
    end if;
    insert into mautic.field_map (source, alias, given, expression, value_type, columns, type, part, when_blank, too_long, place, is_standard)
    values (
      a.source, field.alias, field."from", read.text, read.type, coalesce(read.columns, '{}'), field.type,
      field.part, field.when_blank, field.too_long, field.place, true);
  end loop;
  for field in select f.* from mautic.field_map f where f.source = a.source and not f.is_standard and f.given is not null loop
    read := mautic.resolve_field(a, field.alias, field.given, false);
    perform mautic.check_field(field.alias, field.given, read);
    update mautic.field_map f
    set expression = read.text, value_type = read.type, columns = coalesce(read.columns, '{}'),
      type = mautic.field_type(field.alias, field.given, read.type)
    where f.source = a.source and f.alias = field.alias;
  end loop;
end
$$;

comment on function mautic.write_fields(mautic.attachment) is 'Reads the fields of a source anew.';

-- The application's column for email_status. Only one that was named: a column of that name may be about something else.
create function mautic.resolve_status(a mautic.attachment, out status_column name, out status_at_column name)
returns record
language plpgsql
stable
set search_path = ''
as $$
declare
  given constant text := nullif(btrim(a.declared ->> 'status'), '');
  statuses constant text[] := array['subscribed', 'unsubscribed', 'bounced', 'complained'];
  found record;
  said text[];
begin
  if given is null then
    return;
  end if;
  select t.attname, t.attnum, t.atttypid, t.attgenerated <> '' as is_generated into found
  from pg_catalog.pg_attribute t
  where t.attrelid = a.relation and t.attnum > 0 and not t.attisdropped and given in (t.attname, quote_ident(t.attname), 'l.' || t.attname);
  if found.attname is null then
    raise exception 'status => %: % has no such column. Remedy: alter table % add column % text, add column % timestamptz;',
      given, a.relation::regclass, a.relation::regclass, quote_ident(given), quote_ident(given || '_changed_at')
      using errcode = 'undefined_column';
  end if;
  said := array(
    select v from unnest(mautic.said_values(a.relation, found.attnum)) v where v <> all (statuses));
  if mautic.kind_of_type(found.atttypid) is distinct from 'text' or found.is_generated
    or cardinality(said) > 0
    or exists (select from pg_catalog.pg_enum e where e.enumtypid = found.atttypid)
  then
    raise exception 'status => %: this column is not for what Mautic tells of a person (%). It has to be a text without checks '
      'or defaults of other values (%). Name another one, or none: mautic.lead_state has it.', given,
      array_to_string(statuses, ', '), coalesce(nullif(array_to_string(said, ', '), ''), format_type(found.atttypid, null))
      using errcode = 'datatype_mismatch';
  end if;
  status_column := found.attname;
  select t.attname into status_at_column
  from pg_catalog.pg_attribute t
  where t.attrelid = a.relation and not t.attisdropped and t.attname = status_column || '_changed_at'
    and mautic.kind_of_type(t.atttypid) = 'time';
end
$$;

comment on function mautic.resolve_status(mautic.attachment) is
  'The column that shows email_status, and <column>_changed_at where there is one of a time. Raises undefined_column and datatype_mismatch.';

create function mautic.resolve_activity(a mautic.attachment)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  given constant text := nullif(btrim(a.declared ->> 'activity'), '');
  place regclass;
  lacking text;
begin
  if given is null then
    return null;
  end if;
  place := to_regclass(case when cardinality(parse_ident(given)) = 1 then 'public.' || given else given end);
  select string_agg(w.name || ' ' || w.type, ', ') into lacking
  from (values ('lead_id', 'text'), ('type', 'text'), ('detail', 'jsonb'), ('occurred_at', 'timestamp with time zone')) as w(name, type)
  where not exists (
    select from pg_catalog.pg_attribute t
    where t.attrelid = place and t.attname = w.name and not t.attisdropped and format_type(t.atttypid, null) = w.type);
  if place is null or lacking is not null then
    raise exception 'activity => %: %. Name a table with lead_id text, type text, detail jsonb, occurred_at timestamptz, or '
      'none: mautic.lead_activity has it.', given, coalesce('it lacks ' || lacking, 'there is no such table')
      using errcode = 'undefined_column';
  end if;
  return (select format('%I.%I', n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.oid = place);
end
$$;

comment on function mautic.resolve_activity(mautic.attachment) is 'The application''s table of activities, qualified. Raises undefined_column.';

-- By their functions, whatever they and their table are called by now.
create function mautic.drop_triggers(p_source text, p_except oid)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  found record;
begin
  for found in
    select t.tgname, t.tgrelid
    from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where p.pronamespace = 'mautic'::regnamespace and t.tgrelid <> p_except
      and p.proname in (format('log_%s_insert', p_source), format('log_%s_update', p_source),
        format('log_%s_delete', p_source), format('log_%s_truncate', p_source))
  loop
    perform mautic.run_patiently(found.tgrelid, format('drop trigger %I on %s', found.tgname, found.tgrelid::regclass));
  end loop;
end
$$;

comment on function mautic.drop_triggers(text, oid) is 'Takes the triggers of a source off all tables but this one.';

-- Reads the table of a source as it is now, and writes what follows from it. All or nothing.
create function mautic.connect_table(p_source text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  before oid;
  role record;
  key record;
  status record;
begin
  -- One at a time: all sources share the reader.
  perform pg_advisory_xact_lock(mautic.shape_lock());
  select * into a from mautic.attachment s where s.source = p_source for update;
  before := a.relation;
  a.relation := to_regclass(mautic.table_of(a));
  if a.relation is null then
    update mautic.attachment s set problem = 'the table is not there' where s.source = p_source;
    return;
  end if;
  perform mautic.check_table(a.relation::regclass);
  -- Who holds it against readers, too, is named at once.
  perform mautic.run_patiently(a.relation, format('lock table %s in access share mode', a.relation::regclass));
  key := mautic.key_of_table(a.relation::regclass, a.declared ->> 'key');
  a.key_column := key.key_column;
  -- Without its length, which would cut another key until it is this one.
  select format_type(t.atttypid, -1) into a.key_type
  from pg_catalog.pg_attribute t where t.attrelid = a.relation and t.attname = a.key_column;
  if exists (
    select from pg_catalog.pg_type t
    where t.oid = mautic.base_type(a.key_type::regtype)
      and (t.oid in ('pg_catalog.float4'::regtype, 'pg_catalog.float8'::regtype, 'pg_catalog.money'::regtype,
          'pg_catalog.interval'::regtype, 'pg_catalog.json'::regtype)
        -- Arrays, rows and ranges.
        or t.typcategory in ('A', 'C', 'R'))
  ) then
    raise exception 'The key % of % is of type %, which each session may write differently. Name another column that is '
      'unique and not null: key => ''…''', a.key_column, a.relation::regclass, a.key_type
      using errcode = 'invalid_table_definition';
  end if;
  status := mautic.resolve_status(a);
  a.status_column := status.status_column;
  a.status_at_column := status.status_at_column;
  a.activity := mautic.resolve_activity(a);
  a.attached_at := mautic.clock();

  delete from mautic.role r where r.source = p_source;
  insert into mautic.role (source, role, given, expression, type, columns, why)
  values (p_source, 'key', a.declared ->> 'key', mautic.lead_id_in(a, 'l'), 'pg_catalog.text'::regtype, array[a.key_column], key.why);
  for role in select * from mautic.known_roles() r order by r.place loop
    perform mautic.resolve_role(a, role.role, role.kinds, role.missing);
  end loop;
  perform mautic.write_fields(a);

  update mautic.attachment s
  set relation = a.relation, key_column = a.key_column, key_type = a.key_type, status_column = a.status_column,
    status_at_column = a.status_at_column, activity = a.activity, attached_at = a.attached_at, problem = null,
    generated_version = mautic.generated_version()
  where s.source = p_source;
  perform mautic.make_readers();
  perform mautic.make_writers();
  perform mautic.note_digest(p_source);
  if before is distinct from a.relation and before is not null then
    -- Another table in its place: what is other in it is found by comparison.
    insert into mautic.table_change (source, cause) values (p_source, 'suspect');
  end if;
  perform mautic.make_watches(a);
  -- Last: the lock on the table is held until the end, and all that a trigger calls is there.
  perform mautic.make_triggers(a);
  begin
    perform mautic.drop_triggers(p_source, a.relation);
  exception when lock_not_available or insufficient_privilege then
    raise warning 'the table that source % had before keeps its triggers until attach is called again: %', p_source, sqlerrm;
  end;
  -- What waited because it could not be read is due. What a claim holds is tried just now, and it may wait for this table.
  update mautic.outbox o set not_before = mautic.clock()
  where o.lead_id in (
    select w.lead_id from mautic.outbox w
    where w.state = 'waiting' and w.error_code = 'unreadable' and (mautic.source_of(w.lead_id)).source = p_source
    for update skip locked
  );
end
$$;

comment on function mautic.connect_table(text) is
  'Attaches the table of a declared source, or reads it anew; a table that is not there yet stays declared. Raises what attach() raises.';

create function mautic.attach_report(p_source text)
returns table (role text, expression text, why text, remedy text)
language sql
stable
set search_path = ''
as $$
  select r.role, r.expression, r.why, coalesce(r.remedy, 'a change of ' || unseen.tables || ' is not seen without mautic.watch()')
  from mautic.role r
  left join mautic.known_roles() k on k.role = r.role
  cross join lateral (
    select string_agg(name, ', ') as tables
    from unnest(r.tables) name
    where not exists (select from mautic.watched w where w.source = r.source and w.place = name)
  ) unseen
  where r.source = p_source
  order by k.place nulls first
$$;

comment on function mautic.attach_report(text) is 'What is known of a source''s table: role, expression, why, and what gives what is missing.';

-- The source that a call means: named, or the one whose table it is, or the first of all.
create function mautic.source_for(p_source text, p_schema name, p_table name)
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  known text;
begin
  if p_source is not null then
    return p_source;
  end if;
  select case when count(*) = 1 then min(a.source) end into known
  from mautic.attachment a where a.schema_name = p_schema and a.table_name = p_table;
  if known is null and exists (select from mautic.attachment) then
    raise exception 'There is a source already (%). Say which one this is: source => ''%''',
      (select string_agg(format('%s: %s', a.source, mautic.table_of(a)), ', ') from mautic.attachment a), lower(p_table)
      using errcode = 'invalid_parameter_value';
  end if;
  return coalesce(known, 'lead');
end
$$;

comment on function mautic.source_for(text, name, name) is
  'The source that attach means. Raises invalid_parameter_value for a second table without a name.';

-- A key of the first source may begin as the ids of a new one do.
create function mautic.escape_keys()
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  lead_id text;
begin
  select * into a from mautic.attachment s where s.prefix = '' and s.relation is not null;
  lead_id := mautic.lead_id_in(a, 'l');
  if lead_id <> mautic.role_sql(a.source, 'key') then
    update mautic.role r set expression = lead_id where r.source = a.source and r.role = 'key';
    perform mautic.make_readers();
    perform mautic.make_writers();
    perform mautic.make_triggers(a);
    perform mautic.make_watches(a);
  end if;
end
$$;

comment on function mautic.escape_keys() is 'Writes the ids of the first source anew, when another source was declared.';

create function mautic.attach(
  "table" text, source text default null, rank int default 1, key text default null, address text default null,
  stage text default null, consent text default null, consent_at text default null, score text default null,
  value text default null, status text default null, deleted text default null, scope text default null,
  changed_at text default null, activity text default null
)
returns table (role text, expression text, why text, remedy text)
language plpgsql
volatile
set search_path = ''
as $$
declare
  names constant text[] := parse_ident(coalesce(attach."table", ''));
  schema_name constant name := case when cardinality(names) = 1 then 'public' else names[1] end;
  table_name constant name := names[cardinality(names)];
  named text;
  declared constant jsonb := jsonb_strip_nulls(jsonb_build_object(
    'table', attach."table", 'source', attach.source, 'rank', nullif(attach.rank, 1), 'key', attach.key,
    'address', attach.address, 'stage', attach.stage, 'consent', attach.consent, 'consent_at', attach.consent_at,
    'score', attach.score, 'value', attach.value, 'status', attach.status, 'deleted', attach.deleted,
    'scope', attach.scope, 'changed_at', attach.changed_at, 'activity', attach.activity));
  line record;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  if cardinality(names) > 2 then
    raise exception '"table" => %: a schema and a name', attach."table" using errcode = 'invalid_name';
  end if;
  named := mautic.source_for(attach.source, schema_name, table_name);
  if named !~ '^[a-z][a-z0-9_]{0,39}$' or named in ('contact', 'erase') then
    raise exception 'source => %: up to 40 small letters, digits and _, and neither contact nor erase', named
      using errcode = 'invalid_parameter_value';
  end if;
  insert into mautic.attachment as s (source, prefix, rank, declared, schema_name, table_name)
  values (
    named, case when exists (select from mautic.attachment) then named || ':' else '' end,
    attach.rank, declared, schema_name, table_name)
  on conflict on constraint attachment_pkey do update
  set rank = excluded.rank, declared = excluded.declared, schema_name = excluded.schema_name, table_name = excluded.table_name;
  perform mautic.escape_keys();
  perform mautic.connect_table(named);

  if exists (select from mautic.attachment s where s.source = named and s.relation is null) then
    raise notice '% is not there yet: it is attached within a minute of its making', attach."table";
  end if;
  for line in select * from mautic.attach_report(named) loop
    raise notice '%: % (%)%', line.role, coalesce(line.expression, 'none'), line.why, coalesce('. ' || line.remedy, '');
    role := line.role;
    expression := line.expression;
    why := line.why;
    remedy := line.remedy;
    return next;
  end loop;
end
$$;

comment on function mautic.attach(
  text, text, int, text, text, text, text, text, text, text, text, text, text, text, text
) is
  'Attaches a table of leads. Each argument is the name of a column, or an expression over its row l; '''' means none, and '
  'what is left out is found by convention. Returns, and tells as notices, what each role is and why. Called again it reads '
  'the table anew. Raises ambiguous_column for two candidates, datatype_mismatch, undefined_column, syntax_error, '
  'wrong_object_type, insufficient_privilege, invalid_table_definition, lock_not_available; nothing is changed then.';

-- Also from tables that have another name by now, or that are only watched. Who may make a trigger may not drop
-- it: that is the owner's.
create function mautic.drop_functions(p_names text)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  found record;
  kept text[] := array[]::text[];
begin
  for found in
    select t.tgname, t.tgrelid::regclass as place, p.proname
    from pg_catalog.pg_trigger t join pg_catalog.pg_proc p on p.oid = t.tgfoid
    where p.pronamespace = 'mautic'::regnamespace and p.proname ~ p_names
    order by 1
  loop
    begin
      perform mautic.run_patiently(found.place, format('drop trigger %I on %s', found.tgname, found.place));
    exception when insufficient_privilege then
      perform mautic.make_function(found.proname, '', 'trigger', 'volatile', 'begin return null; end');
      kept := kept || format('drop trigger %I on %s;', found.tgname, found.place);
    end;
  end loop;
  for found in
    select p.oid::regprocedure as name
    from pg_catalog.pg_proc p
    where p.pronamespace = 'mautic'::regnamespace and p.proname ~ p_names
      and not exists (select from pg_catalog.pg_trigger t where t.tgfoid = p.oid)
  loop
    execute format('drop function %s', found.name);
  end loop;
  return case
    when kept = '{}' then '' else '. Triggers stay that do nothing any more; their table''s owner may say: ' || array_to_string(kept, ' ')
  end;
end
$$;

comment on function mautic.drop_functions(text) is
  'Drops the functions of this schema whose names match, and their triggers. Where a trigger may not be dropped its function '
  'does nothing from then on. Returns the end of a sentence that tells which, or nothing.';

create function mautic.drop_generated(p_source text)
returns text
language sql
volatile
set search_path = ''
as $$
  select mautic.drop_functions(format(
    '^(log_%1$s_(insert|update|delete|truncate)|watch_%1$s_[0-9]+_(insert|update|delete)|read_%1$s_rows)$', p_source))
$$;

comment on function mautic.drop_generated(text) is 'Drops the triggers and functions that were written for a source; returns as drop_functions().';

create function mautic.detach(source text)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  left_over text;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  select * into a from mautic.attachment s where s.source = detach.source;
  if a.source is null then
    raise exception 'There is no source %. There are: %', coalesce(detach.source, 'null'),
      coalesce((select string_agg(s.source, ', ' order by s.source) from mautic.attachment s), 'none')
      using errcode = 'invalid_parameter_value';
  end if;
  if a.prefix = '' and (select count(*) from mautic.attachment) > 1 then
    raise exception 'Detach the other sources first: ids without a prefix are this one''s' using errcode = 'invalid_parameter_value';
  end if;
  left_over := mautic.drop_generated(a.source);
  delete from mautic.lead_change c where (mautic.source_of(c.lead_ids[1])).source = a.source;
  delete from mautic.outbox o
  where (mautic.source_of(o.lead_id)).source = a.source and o.removal is null and o.lead_id not like 'erase:%';
  delete from mautic.lead_state s where s.source = a.source;
  delete from mautic.table_change t where t.source = a.source;
  delete from mautic.attachment s where s.source = a.source;
  perform mautic.make_readers();
  perform mautic.make_writers();
  return format('%s is detached; its contacts stay in Mautic%s', mautic.table_of(a), left_over);
end
$$;

comment on function mautic.detach(text) is
  'Takes a source off: its triggers go, what is queued for its leads is dropped, contacts stay as they are. Triggers that only '
  'a watched table''s owner may drop stay and do nothing, which the answer tells. Raises '
  'invalid_parameter_value for a source that is not there, and for the first one while there are others.';

-- Run by cron: tables that were declared before they were made, or that another one has replaced.
create function mautic.attach_declared()
returns int
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  attached int := 0;
begin
  update mautic.attachment s set problem = null
  where s.problem is not null and s.relation = to_regclass(mautic.table_of(s))::oid;
  for a in
    select * from mautic.attachment s
    where to_regclass(mautic.table_of(s)) is distinct from s.relation::regclass
  loop
    begin
      perform mautic.connect_table(a.source);
      attached := attached + (select (s.problem is null)::int from mautic.attachment s where s.source = a.source);
    exception when others then
      update mautic.attachment s set problem = sqlerrm where s.source = a.source;
    end;
  end loop;
  return attached;
end
$$;

comment on function mautic.attach_declared() is 'Attaches declared tables that are there by now, or are another one than before; returns how many. What kept it from one stands in mautic.attachment.';
