-- Which value goes to which contact field: in a migration of the application's own, after attach.

-- What only Mautic itself may write, or reads as something else.
create function mautic.check_alias(p_alias text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_alias is null or p_alias !~ '^[a-z][a-z0-9_]{0,63}$' then
    raise exception 'alias %: the alias of a contact field in Mautic is small letters, digits and _', coalesce(quote_literal(p_alias), 'null')
      using errcode = 'invalid_parameter_value';
  elsif p_alias = 'email' then
    raise exception 'alias email: it is the lead''s address; say attach(…, address => ''…'')' using errcode = 'invalid_parameter_value';
  elsif p_alias in ('utm_source', 'utm_medium', 'utm_campaign', 'utm_term', 'utm_content') then
    raise exception 'alias %: Mautic keeps it for segment filters and drops the value silently; make a field such as hki_%', p_alias, p_alias
      using errcode = 'invalid_parameter_value';
  elsif p_alias in ('id', 'tags', 'owner', 'stage', 'companies', 'points') then
    raise exception 'alias %: no custom field, it means something of its own in Mautic''s API', p_alias
      using errcode = 'invalid_parameter_value';
  end if;
end
$$;

comment on function mautic.check_alias(text) is 'Raises invalid_parameter_value for an alias that is none, or that Mautic keeps for itself.';

create function mautic.rewrite(p_source text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
begin
  select * into a from mautic.attachment s where s.source = p_source and s.relation is not null;
  if a.source is not null then
    perform mautic.make_readers();
    perform mautic.note_digest(p_source);
    perform mautic.make_triggers(a);
    perform mautic.make_watches(a);
  end if;
end
$$;

comment on function mautic.rewrite(text) is 'Writes readers and trigger functions anew after the fields of a source changed.';

-- What is written out in trigger functions of a setting's value is written anew with it.
create function mautic.rewrite_all()
returns trigger
language plpgsql
volatile
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  perform mautic.rewrite(a.source) from mautic.attachment a;
  return null;
end
$$;

comment on function mautic.rewrite_all() is 'Writes the functions of all sources anew, after the setting bulk_rows changed.';

create trigger mautic_setting_update
after update of value on mautic.setting
for each row when (new.name = 'bulk_rows' and new.value is distinct from old.value)
execute function mautic.rewrite_all();

create function mautic.map_field(alias text, "from" text, source text default null)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  read mautic.expression;
  said constant text := map_field."from";
  standard record;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  select * into a from mautic.attachment s
  where s.source = map_field.source or (map_field.source is null and s.prefix = '');
  if a.source is null then
    raise exception 'source => %: attach its table first', coalesce(map_field.source, 'null') using errcode = 'invalid_parameter_value';
  end if;
  perform mautic.check_alias(map_field.alias);
  if a.relation is not null then
    read := mautic.resolve_field(a, map_field.alias, said, false);
    perform mautic.check_field(map_field.alias, said, read);
  end if;
  -- A standard value under another name goes on meaning the same to upsert_contact.
  select * into standard from mautic.standard_fields() f where f."from" = said or f.alias = map_field.alias
  order by f."from" = said desc limit 1;
  insert into mautic.field_map as f (
    source, alias, given, expression, value_type, columns, type, part, when_blank, too_long, place, is_standard
  )
  values (
    a.source, map_field.alias, said, read.text, read.type, coalesce(read.columns, '{}'),
    mautic.field_type(map_field.alias, said, read.type),
    standard.part, coalesce(standard.when_blank, 'clear'), coalesce(standard.too_long, 'cut'),
    coalesce(standard.place, (select max(m.place) + 10 from mautic.field_map m where m.source = a.source), 10), false
  )
  on conflict on constraint field_map_pkey do update
  set given = excluded.given, expression = excluded.expression, value_type = excluded.value_type, columns = excluded.columns,
    type = excluded.type, part = excluded.part, is_standard = false;
  perform mautic.rewrite(a.source);
  return format('%s.%s = %s', a.source, map_field.alias, coalesce(read.text, 'as soon as the table is there'));
end
$$;

comment on function mautic.map_field(text, text, text) is
  'Sends a value to the contact field alias: the name of a column, of a role (score, stage, key) or of a standard value '
  '(firstname, utm_source), or an expression over the row l. source: null means the first. Raises as attach() does, and '
  'invalid_parameter_value for an alias that Mautic keeps for itself.';

create function mautic.unmap_field(alias text, source text default null)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
begin
  perform pg_advisory_xact_lock(mautic.shape_lock());
  select * into a from mautic.attachment s
  where s.source = unmap_field.source or (unmap_field.source is null and s.prefix = '');
  update mautic.field_map f
  set given = null, expression = null, value_type = null, columns = '{}', part = null, is_standard = false
  where f.source = a.source and f.alias = unmap_field.alias;
  if not found then
    raise exception 'No field % is mapped. There are: %', unmap_field.alias,
      (select string_agg(f.alias, ', ' order by f.place) from mautic.field_map f where f.source = a.source)
      using errcode = 'invalid_parameter_value';
  end if;
  perform mautic.rewrite(a.source);
  return format('%s is sent no more; Mautic keeps what it has', unmap_field.alias);
end
$$;

comment on function mautic.unmap_field(text, text) is 'Sends nothing to this contact field any more. Raises invalid_parameter_value for one that is not mapped.';
