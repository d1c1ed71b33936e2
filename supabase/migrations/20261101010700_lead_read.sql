-- Leads by id, as they are now. read_leads() is the way to a lead; attach writes it anew.

-- One value of one row, or what kept it from being read.
create function mautic.read_part(p_statement text, p_key text, out value jsonb, out trouble text)
language plpgsql
stable
set search_path = ''
as $$
begin
  execute p_statement into value using p_key;
exception
  -- The value, not the table: another row may well be read.
  when data_exception then
    trouble := 'unreadable';
  when others then
    trouble := 'missing';
end
$$;

comment on function mautic.read_part(text, text) is 'trouble: unreadable (this value) or missing (the table no longer gives it).';

-- Value by value, when the whole cannot be read: the row's values in doubt are named, the others are there.
create function mautic.read_singly(p_source text, p_key text, p_lead_id text)
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
set row_security = off
as $$
declare
  a mautic.attachment;
  where_sql text;
  lead mautic.lead;
  part record;
  one_value jsonb;
  trouble text;
  is_there boolean;
  is_readable boolean := true;
  said jsonb := '{}';
  fields jsonb := '{}';
  unreadable text[] := '{}';
  missing text[] := '{}';
begin
  select * into a from mautic.attachment s where s.source = p_source;
  -- A key is compared in the type that it has now; of a key that is there no more its old one does no harm.
  select format(' from %s l where l.%I %s $1::%s', mautic.table_of(a), a.key_column, mautic.operator_sql(k.type, '='), format_type(k.type, -1))
  into where_sql
  from (
    select coalesce(max(t.atttypid), to_regtype(a.key_type)) as type
    from pg_catalog.pg_attribute t
    where t.attrelid = to_regclass(mautic.table_of(a)) and t.attname = a.key_column and not t.attisdropped
  ) k;
  begin
    execute 'select exists (select' || where_sql || ')' into is_there using p_key;
    if not is_there then
      return;
    end if;
  exception
    -- No key of this table: upsert_contact may bring any.
    when data_exception then
      return;
    -- Whether it is there cannot be told, so nobody may take it as gone.
    when others then
      is_readable := false;
  end;

  for part in
    select r.role as name, null as alias, mautic.value_sql(t.target, r.expression, r.type) as sql
    from mautic.read_roles() t
    join mautic.role r on r.source = p_source and r.role = t.role and r.expression is not null
    union all
    select f.alias, f.alias, mautic.value_sql(f.type::text, f.expression, f.value_type)
    from mautic.field_map f
    where f.source = p_source and f.expression is not null
    order by 2 nulls first, 1
  loop
    if is_readable then
      select r.value, r.trouble into one_value, trouble
      from mautic.read_part(format('select to_jsonb(%s)', part.sql) || where_sql, p_key) r;
    else
      trouble := 'missing';
    end if;
    if trouble = 'unreadable' then
      unreadable := unreadable || part.name;
    elsif trouble = 'missing' then
      missing := missing || part.name;
    elsif part.alias is not null then
      fields := fields || jsonb_build_object(part.alias, one_value);
    else
      said := said || jsonb_build_object(part.name, one_value);
    end if;
  end loop;
  -- A deleted row is none.
  if said -> 'deleted' = 'true' then
    return;
  end if;

  lead.lead_id := p_lead_id;
  lead.source := p_source;
  lead.address := mautic.address_of(said ->> 'address');
  lead.changed_at := (said ->> 'changed_at')::timestamptz;
  lead.email_status := case
    when a.status_column is null then (select s.email_status from mautic.lead_state s where s.lead_id = p_lead_id)
    when is_readable then (
      mautic.read_part(format('select to_jsonb(l.%I::text)', a.status_column) || where_sql, p_key)).value #>> '{}'
  end;
  if is_readable then
    lead.digest := ((mautic.read_part(
      format('select to_jsonb(%s)', mautic.digest_sql(a.source, a.relation, 'l')) || where_sql, p_key)).value #>> '{}')::bigint;
  end if;
  lead.payload := jsonb_build_object(
    'id', p_lead_id, 'email', case when lead.address is not null then said -> 'address' end,
    'stage', said -> 'stage', 'consent', said -> 'consent', 'score', said -> 'score', 'fields', fields,
    'unreadable', to_jsonb(array_replace(unreadable, 'address', 'email')),
    'missing', to_jsonb(array_replace(missing, 'address', 'email')));
  if said ? 'scope' then
    lead.payload := lead.payload || jsonb_build_object('in_scope', said -> 'scope');
  end if;
  return next lead;
end
$$;

comment on function mautic.read_singly(text, text, text) is
  'A lead value by value: what cannot be read of it is named in payload.unreadable (by this row''s fault) or payload.missing '
  '(by the table''s). No row for a key that is not there; a table that does not answer says nothing of its leads.';

create function mautic.read_each(p_source text, p_keys text[])
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
as $$
declare
  a mautic.attachment;
  one text;
begin
  select * into a from mautic.attachment s where s.source = p_source and s.key_column is not null;
  if found then
    foreach one in array p_keys loop
      return query
        select r.* from mautic.read_singly(
          p_source, one,
          a.prefix || case when a.prefix = '' and one ~ mautic.reserved_ids() then ':' else '' end || one) r;
    end loop;
  end if;
end
$$;

comment on function mautic.read_each(text, text[]) is 'The leads with these keys of a source, row by row and value by value (mautic.read_singly).';

-- Until something is attached there are no leads.
create function mautic.read_leads(p_lead_ids text[])
returns setof mautic.lead
language plpgsql
stable
security definer
set search_path = ''
as 'begin end';

comment on function mautic.read_leads(text[]) is
  'The leads with these ids, as they are now. Unknown ids are left out; a lead that cannot be read is there, and its '
  'payload names what is missing. Written by attach.';

-- What stands in schema mautic and runs with its owner's rights is nobody else's to call. Every column is written
-- with its table, so that a name alone is a variable: the application's columns may be called as they like.
create function mautic.make_function(p_name text, p_arguments text, p_returns text, p_settings text, p_body text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
begin
  execute format(
    'create or replace function mautic.%I(%s) returns %s language plpgsql %s security definer set search_path = '''' as %L',
    p_name, p_arguments, p_returns, p_settings, E'#variable_conflict use_variable\n' || p_body);
  execute format(
    'revoke all on function mautic.%I(%s) from public, anon, authenticated, service_role', p_name, p_arguments);
end
$$;

comment on function mautic.make_function(text, text, text, text, text) is
  'Makes a function that attach writes, or makes it anew; its owner alone may call it.';

create function mautic.is_of_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when a.prefix <> '' then format('left(id, %s) = %L', length(a.prefix), a.prefix)
    else format('(left(id, 1) = '':'' or id !~ %L)', mautic.reserved_ids())
  end
$$;

comment on function mautic.is_of_sql(mautic.attachment) is 'SQL that is true for a lead id, named id, that is a source''s.';

create function mautic.keys_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    'array(select %s from unnest(p_lead_ids) id where %s)',
    case
      when a.prefix <> '' then format('substr(id, %s)', length(a.prefix) + 1)
      else 'case when left(id, 1) = '':'' then substr(id, 2) else id end'
    end,
    mautic.is_of_sql(a))
$$;

comment on function mautic.keys_sql(mautic.attachment) is 'SQL for the keys among p_lead_ids that are a source''s.';

create function mautic.has_key_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select format('l.%I %s any (keys::%s[])', a.key_column, mautic.operator_sql(a.key_type::regtype, '='), a.key_type)
$$;

comment on function mautic.has_key_sql(mautic.attachment) is 'SQL that is true for the rows l with these keys.';

create function mautic.where_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select mautic.has_key_sql(a)
    || coalesce(E'\n      and not ' || mautic.deleted_sql(a.source), '')
$$;

comment on function mautic.where_sql(mautic.attachment) is 'SQL that is true for the rows l of these keys that are not deleted softly.';

-- Raised with what is generated: readers and triggers that another version wrote are named by check_shape().
create function mautic.generated_version()
returns int
language sql
immutable
set search_path = ''
as $$
  select 1
$$;

comment on function mautic.generated_version() is 'The version of the readers, writers and triggers that attach writes.';

create function mautic.make_readers()
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  body text := E'declare\n  keys text[];\nbegin\n';
begin
  for a in select * from mautic.attachment s where s.relation is not null order by s.rank, s.source loop
    -- A function of its own: what plpgsql has returned before an error stays returned. The owner of a table is
    -- above its policies; where they are forced upon him that is an error, and no table without rows.
    perform mautic.make_function(
      format('read_%s_rows', a.source), 'keys text[]', 'setof mautic.lead', 'stable set row_security = off',
      format(E'begin\n  return query %s\n    where %s;\nend', mautic.select_lead_sql(a), mautic.where_sql(a)));
    body := body || format(
      E'  keys := %1$s;\n  if keys <> ''{}'' then\n    begin\n      return query select r.* from mautic.%2$I(keys) r;\n'
      '    exception when others then\n      return query select r.* from mautic.read_each(%3$L, keys) r;\n    end;\n  end if;\n',
      mautic.keys_sql(a), format('read_%s_rows', a.source), a.source);
  end loop;
  perform mautic.make_function('read_leads', 'p_lead_ids text[]', 'setof mautic.lead', 'stable', body || 'end');
end
$$;

comment on function mautic.make_readers() is 'Writes mautic.read_leads() and a reader mautic.read_<source>_rows(keys) for each attached source.';
