-- The reader of a source, written out: Postgres plans it once, and a lead is read by the table's own index. A
-- function with a text body, never a view: nothing of ours depends on the application's columns, so
-- nothing of ours stands in the way of alter table.

create type mautic.lead as (
  lead_id text, source text, address text, payload jsonb, email_status text, changed_at timestamptz, digest bigint
);

comment on type mautic.lead is
  'A lead as it is now. address: as addresses are compared; payload: {id, email, stage, consent, score, fields '
  '{alias: value}, unreadable[], missing[]} (shared/lead/payload.ts); changed_at: by the table''s own columns; digest: '
  'of all columns that are read.';

-- Types whose values are equal where their texts are, and that have a hash: compared and hashed as they are.
-- All others as text, which every type has.
create function mautic.is_plain_type(p_type oid)
returns boolean
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select mautic.base_type(p_type) = any (array[
      'pg_catalog.bool', 'pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8', 'pg_catalog.numeric',
      'pg_catalog.float4', 'pg_catalog.float8', 'pg_catalog.uuid', 'pg_catalog.date',
      'pg_catalog.timestamp', 'pg_catalog.timestamptz', 'pg_catalog.text', 'pg_catalog.varchar',
      'pg_catalog.bpchar', 'pg_catalog.jsonb'
    ]::regtype[]));
end
$$;

comment on function mautic.is_plain_type(oid) is 'May values of this type be compared and hashed without being made text?';

-- A column as it is compared. p_row: new or old as the trigger names them, or l.
create function mautic.comparable_sql(p_table regclass, p_row text, p_column name)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select case
      when not mautic.is_plain_type(a.atttypid) then format('%s.%I::text collate "C"', p_row, a.attname)
      -- A collation may call different texts equal; Mautic is to get the newer one.
      when not coalesce(c.collisdeterministic, true) then format('(%s.%I collate "C")', p_row, a.attname)
      else format('%s.%I', p_row, a.attname)
    end
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_collation c on c.oid = a.attcollation
    where a.attrelid = p_table and a.attname = p_column and not a.attisdropped);
end
$$;

comment on function mautic.comparable_sql(regclass, text, name) is 'SQL for a column as it is compared and hashed.';

-- The same in every session, whatever its DateStyle, TimeZone or extra_float_digits.
create function mautic.key_sql(p_row text, p_column name, p_type oid)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when t.oid = 'pg_catalog.text'::regtype then format('%s.%I', p_row, p_column)
    when t.oid = 'pg_catalog.timestamptz'::regtype
      then format('to_char(%s.%I at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS.US"Z"'')', p_row, p_column)
    when t.oid = 'pg_catalog.timestamp'::regtype
      then format('to_char(%s.%I, ''YYYY-MM-DD"T"HH24:MI:SS.US'')', p_row, p_column)
    when t.oid = 'pg_catalog.date'::regtype then format('to_char(%s.%I, ''YYYY-MM-DD'')', p_row, p_column)
    when t.oid = 'pg_catalog.bytea'::regtype then format('E''\\x'' || encode(%s.%I, ''hex'')', p_row, p_column)
    -- 1.0 is 1.00, and citext knows no case.
    when t.oid = 'pg_catalog.numeric'::regtype then format('trim_scale(%s.%I)::text', p_row, p_column)
    when t.typname = 'citext' then format('lower(%s.%I::text)', p_row, p_column)
    else format('%s.%I::text', p_row, p_column)
  end
  from pg_catalog.pg_type t
  where t.oid = mautic.base_type(p_type)
$$;

comment on function mautic.key_sql(text, name, oid) is 'SQL for a key as text.';

-- An extension's operator has to be named with its schema: under an empty search path citext would be compared as text.
create function mautic.operator_sql(p_type oid, p_name text)
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(min(format('operator(%I.%s)', n.nspname, o.oprname)), p_name)
  from (select mautic.base_type(p_type) as oid) b
  join pg_catalog.pg_opclass c on c.opcintype = b.oid and c.opcdefault
  join pg_catalog.pg_am m on m.oid = c.opcmethod and m.amname = 'btree'
  join pg_catalog.pg_amop e on e.amopfamily = c.opcfamily and e.amoplefttype = b.oid and e.amoprighttype = b.oid 
    and e.amopstrategy = array_position('{<,<=,=,>=,>}', p_name)
  join pg_catalog.pg_operator o on o.oid = e.amopopr
  join pg_catalog.pg_namespace n on n.oid = o.oprnamespace
  where n.nspname <> 'pg_catalog'
$$;

comment on function mautic.operator_sql(oid, text) is 'The operator (<, <=, =, >= or >) by which keys of this type are in order, as SQL writes it.';

-- Ids of other sources, of contacts and of erasures have a word and a colon before them; a key of the first
-- source that looks like one gets a colon, and so does one that begins with a colon.
create function mautic.reserved_ids()
returns text
language sql
stable
set search_path = ''
as $$
  select '^(:|(contact|erase' || coalesce(string_agg('|' || left(a.prefix, -1), '' order by a.prefix), '') || '):)'
  from mautic.attachment a
  where a.prefix <> ''
$$;

comment on function mautic.reserved_ids() is 'Regular expression for what no key of the first source may begin with.';

create function mautic.lead_id_of(a mautic.attachment, key text)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when a.prefix <> '' then a.prefix || key
    when key ~ mautic.reserved_ids() then ':' || key
    else key
  end
$$;

comment on function mautic.lead_id_of(mautic.attachment, text) is 'The lead id of a key of this source; null: of the first one.';

-- The same as SQL, for many rows.
create function mautic.lead_id_sql(a mautic.attachment, p_key text, p_type oid)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when a.prefix <> '' then format('%L || %s', a.prefix, p_key)
    -- No word and colon in these.
    when mautic.base_type(p_type) = any (array[
      'pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8', 'pg_catalog.numeric', 'pg_catalog.uuid',
      'pg_catalog.date', 'pg_catalog.timestamp', 'pg_catalog.timestamptz'
    ]::regtype[]) then p_key
    else format('case when %1$s ~ %2$L then '':'' || %1$s else %1$s end', p_key, mautic.reserved_ids())
  end
$$;

comment on function mautic.lead_id_sql(mautic.attachment, text, oid) is 'SQL for the lead id of a key that is text already.';

-- One value as it goes into the payload. p_target: text, number, consent, deleted, boolean or time.
create function mautic.value_sql(p_target text, p_expression text, p_type oid)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when p_expression is null then case p_target when 'deleted' then 'false' when 'time' then 'null::timestamptz' else 'null' end
    when p_target = 'consent' then format(
      case kind
        when 'boolean' then 'mautic.as_boolean(%s)' when 'number' then 'mautic.consent_in_number((%s)::numeric)'
        when 'time' then 'mautic.consent_in_time((%s)::timestamptz)' else 'mautic.consent_in_text((%s)::text)'
      end, p_expression)
    when p_target = 'number' then format(
      case kind
        when 'number' then 'mautic.finite_number((%s)::numeric)' else 'mautic.number_in_text((%s)::text)'
      end, p_expression)
    when p_target = 'deleted' then format(
      case kind when 'time' then '((%s) is not null)' else 'coalesce((%s)::boolean, false)' end,
      p_expression)
    when p_target = 'boolean' then format('coalesce((%s)::boolean, false)', p_expression)
    when p_target = 'time' then format('(%s)::timestamptz', p_expression)
    when kind = 'time' and p_type = 'pg_catalog.date'::regtype then format('to_char((%s), ''YYYY-MM-DD'')', p_expression)
    when kind = 'time' then format('to_char((%s)::timestamptz at time zone ''UTC'', ''YYYY-MM-DD"T"HH24:MI:SS"Z"'')', p_expression)
    when mautic.base_type(p_type) in ('pg_catalog.text'::regtype, 'pg_catalog.varchar'::regtype, 'pg_catalog.bpchar'::regtype)
      then format('mautic.as_text(%s)', p_expression)
    else format('(%s)::text', p_expression)
  end
  from mautic.kind_of_type(p_type) kind
$$;

comment on function mautic.value_sql(text, text, oid) is 'SQL for a value of this expression, read as p_target.';

create function mautic.deleted_sql(p_source text)
returns text
language sql
stable
set search_path = ''
as $$
  select mautic.value_sql('deleted', r.expression, r.type)
  from mautic.role r
  where r.source = p_source and r.role = 'deleted' and r.expression is not null
$$;

comment on function mautic.deleted_sql(text) is 'SQL that is true for a row l that is deleted softly; null: a source knows no such rows.';

-- What is read of a row apart from its fields. The target is as in value_sql().
create function mautic.read_roles()
returns table (role text, target text)
language sql
immutable
set search_path = ''
as $$
  values ('address', 'text'), ('stage', 'text'), ('consent', 'consent'), ('score', 'number'), ('deleted', 'deleted'),
    ('scope', 'boolean'), ('changed_at', 'time')
$$;

comment on function mautic.read_roles() is 'The roles whose values a reader reads, and as what (mautic.value_sql).';

-- Of all columns that are read, so that a comparison finds what came past the triggers.
create function mautic.digest_sql(p_source text, p_table regclass, p_row text)
returns text
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select coalesce(
      'hash_record_extended(row(' || string_agg(mautic.comparable_sql(p_table, p_row, c), ', ' order by c) || '), 0)', '0')
    -- A column that is there no more is null, which string_agg leaves out.
    from unnest(mautic.columns_read(p_source)) c);
end
$$;

comment on function mautic.digest_sql(text, regclass, text) is 'SQL for the hash of all columns of a row that are read.';

-- What of a row may be left out of a statement where the table no longer gives it. path: where the payload has it.
create function mautic.read_parts(p_source text)
returns table (path text, role text, alias text, sql text)
language sql
stable
set search_path = ''
as $$
  select r.role, r.role, null, mautic.value_sql(t.target, r.expression, r.type)
  from mautic.read_roles() t
  join mautic.role r on r.source = p_source and r.role = t.role and r.expression is not null
  union all
  select 'fields.' || f.alias, null, f.alias, mautic.value_sql(f.type::text, f.expression, f.value_type)
  from mautic.field_map f
  where f.source = p_source and f.expression is not null
  order by 3 nulls first, 2
$$;

comment on function mautic.read_parts(text) is 'The values of a source''s row l, each with its SQL: a role by its name, a field as fields.<alias>.';

-- An object of all fields. A function takes a hundred arguments.
create function mautic.fields_sql(p_source text, p_lacking text[])
returns text
language sql
stable
set search_path = ''
as $$
  select coalesce(string_agg(chunk.part, ' || ' order by chunk.number), 'jsonb ''{}''')
  from (
    select numbered.number / 40 as number, format('jsonb_build_object(%s)', string_agg(
      format('%L, %s', numbered.alias, mautic.value_sql(numbered.type::text, numbered.expression, numbered.value_type)), ', '
      order by numbered.number)) as part
    from (
      select f.*, row_number() over (order by f.place, f.alias) - 1 as number
      from mautic.field_map f
      where f.source = p_source and f.expression is not null and 'fields.' || f.alias <> all (p_lacking)
    ) numbered
    group by numbered.number / 40
  ) chunk
$$;

comment on function mautic.fields_sql(text, text[]) is 'SQL for {alias: value} of a source''s row l, without what it is lacking.';

-- The status is none of the values that a lead sends.
create function mautic.names_of_parts(p_paths text[])
returns text[]
language sql
immutable
set search_path = ''
as $$
  select array(
    select case when path = 'address' then 'email' else regexp_replace(path, '^fields\.', '') end
    from unnest(p_paths) with ordinality p(path, place)
    where path <> 'email_status'
    order by place)
$$;

comment on function mautic.names_of_parts(text[]) is 'What payload.unreadable and payload.missing call these values.';

-- The select that reads leads of a source, up to its where. By the attachment that it is given: its key may be of
-- another type by now.
create function mautic.select_lead_sql(a mautic.attachment, p_lacking text[] default '{}')
returns text
language plpgsql
stable
set search_path = ''
as $$
declare
  key_type constant regtype := a.key_type::regtype;
  lead_id constant text := mautic.lead_id_sql(a, mautic.key_sql('l', a.key_column, key_type), key_type);
  value jsonb;
  address text;
  has_scope boolean;
begin
  select jsonb_object_agg(t.role, mautic.value_sql(t.target, r.expression, r.type)), bool_or(t.role = 'scope' and r.expression is not null)
  into value, has_scope
  from mautic.read_roles() t
  left join mautic.role r on r.source = a.source and r.role = t.role and r.role <> all (p_lacking);
  address := format('mautic.address_of(%s)', value ->> 'address');
  return format(
    $sql$select
    %s, %L, %s,
    jsonb_build_object(
      'id', %s, 'email', case when %s is not null then %s end, 'stage', %s, 'consent', %s, 'score', %s,%s
      'fields', %s, 'unreadable', jsonb '[]', 'missing', jsonb %L),
    %s, %s, %s
  from %s l$sql$,
    lead_id, a.source, address,
    lead_id, address, value ->> 'address', value ->> 'stage', value ->> 'consent', value ->> 'score',
    case when has_scope then format(E'\n      ''in_scope'', %s,', value ->> 'scope') else '' end,
    mautic.fields_sql(a.source, p_lacking), to_jsonb(mautic.names_of_parts(p_lacking)),
    case
      when 'email_status' = any (p_lacking) then 'null'
      when a.status_column is not null then format('l.%I::text', a.status_column)
      else format('(select s.email_status from mautic.lead_state s where s.lead_id = %s)', lead_id)
    end,
    value ->> 'changed_at', mautic.digest_sql(a.source, a.relation, 'l'),
    mautic.table_of(a));
end
$$;

comment on function mautic.select_lead_sql(mautic.attachment, text[]) is
  'SQL that gives mautic.lead for the rows l of a source; a where may follow. What the table is lacking (paths of read_parts(), '
  'and email_status) is left out, and named in payload.missing.';
