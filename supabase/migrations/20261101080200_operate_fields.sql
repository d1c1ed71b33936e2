-- What a source's fields, status and activity come from.

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
