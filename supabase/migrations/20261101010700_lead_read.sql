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
create function mautic.read_singly(a mautic.attachment, p_key text)
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
set row_security = off
as $$
declare
  where_sql constant text := format(
    ' from %s l where l.%I %s $1::%s', mautic.table_of(a), a.key_column, mautic.operator_sql(a.key_type::regtype, '='), a.key_type);
  lead mautic.lead;
  part record;
  one record;
  is_there boolean;
  said jsonb := jsonb '{}';
  fields jsonb := jsonb '{}';
  unreadable text[] := array[]::text[];
  missing text[] := array[]::text[];
begin
  begin
    execute 'select exists (select' || where_sql || ')' into is_there using p_key;
    if not is_there then
      return;
    end if;
  exception
    -- No key of this table: upsert_contact may bring any.
    when data_exception then
      return;
  end;

  for part in select * from mautic.read_parts(a.source) loop
    select r.value, r.trouble into one from mautic.read_part(format('select to_jsonb(%s)', part.sql) || where_sql, p_key) r;
    if one.trouble = 'unreadable' then
      unreadable := unreadable || part.path;
    elsif one.trouble = 'missing' then
      missing := missing || part.path;
    elsif part.alias is not null then
      fields := fields || jsonb_build_object(part.alias, one.value);
    else
      said := said || jsonb_build_object(part.role, one.value);
    end if;
  end loop;
  -- A deleted row is none.
  if said -> 'deleted' = 'true' then
    return;
  end if;

  lead.lead_id := mautic.lead_id_of(a, p_key);
  lead.source := a.source;
  lead.address := mautic.address_of(said ->> 'address');
  lead.changed_at := (said ->> 'changed_at')::timestamptz;
  lead.email_status := case
    when a.status_column is null then (select s.email_status from mautic.lead_state s where s.lead_id = lead.lead_id)
    else (mautic.read_part(format('select to_jsonb(l.%I::text)', a.status_column) || where_sql, p_key)).value #>> '{}'
  end;
  lead.digest := ((mautic.read_part(
    format('select to_jsonb(%s)', mautic.digest_sql(a.source, a.relation, 'l')) || where_sql, p_key)).value #>> '{}')::bigint;
  lead.payload := jsonb_build_object(
    'id', lead.lead_id, 'email', case when lead.address is not null then said -> 'address' end,
    'stage', said -> 'stage', 'consent', said -> 'consent', 'score', said -> 'score', 'fields', fields,
    'unreadable', to_jsonb(mautic.names_of_parts(unreadable)),
    'missing', to_jsonb(mautic.names_of_parts(missing)));
  if said ? 'scope' then
    lead.payload := lead.payload || jsonb_build_object('in_scope', said -> 'scope');
  end if;
  return next lead;
end
$$;

comment on function mautic.read_singly(mautic.attachment, text) is
  'A lead value by value: what cannot be read of it is named in payload.unreadable (by this row''s fault) or payload.missing '
  '(by the table''s). No row for a key that is not there.';

-- A function of its own: what plpgsql has returned before an error stays returned.
create function mautic.read_by(p_statement text, p_keys text[])
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
set row_security = off
as $$
begin
  return query execute p_statement using p_keys;
end
$$;

comment on function mautic.read_by(text, text[]) is 'The leads that a statement gives for these keys: all of them, or an error.';

-- Only rows that cannot be read cost more than the others.
create function mautic.read_halves(a mautic.attachment, p_statement text, p_keys text[])
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
as $$
declare
  half constant int := cardinality(p_keys) / 2;
begin
  return query select r.* from mautic.read_by(p_statement, p_keys) r;
exception when others then
  if half = 0 then
    return query select r.* from mautic.read_singly(a, p_keys[1]) r;
  else
    return query select r.* from mautic.read_halves(a, p_statement, p_keys[:half]) r;
    return query select r.* from mautic.read_halves(a, p_statement, p_keys[half + 1:]) r;
  end if;
end
$$;

comment on function mautic.read_halves(mautic.attachment, text, text[]) is
  'The leads that a statement gives for these keys; those that it fails for, found by halves, value by value (mautic.read_singly).';

-- Without a look at any row: what raises here is the table's, not a value's.
create function mautic.can_read(a mautic.attachment, p_sql text)
returns boolean
language plpgsql
stable
set search_path = ''
set row_security = off
as $$
begin
  execute format('select %s from %s l limit 0', p_sql, mautic.table_of(a));
  return true;
exception when others then
  return false;
end
$$;

comment on function mautic.can_read(mautic.attachment, text) is 'Does the table of a source still give this expression?';

create function mautic.parts_lacking(a mautic.attachment)
returns text[]
language sql
stable
set search_path = ''
as $$
  select array(
    select p.path from mautic.read_parts(a.source) p where not mautic.can_read(a, format('to_jsonb(%s)', p.sql))
    union all
    select 'email_status' where not mautic.can_read(a, coalesce('l.' || quote_ident(a.status_column) || '::text', 'null')))
$$;

comment on function mautic.parts_lacking(mautic.attachment) is
  'What the table of a source no longer gives: paths of mautic.read_parts(), and email_status for the column that shows it.';

-- Whether they are there cannot be told, so nobody may take them as gone.
create function mautic.unread_leads(a mautic.attachment, p_keys text[])
returns setof mautic.lead
language sql
stable
set search_path = ''
as $$
  select
    k.lead_id, a.source, null, jsonb_build_object(
      'id', k.lead_id, 'email', null, 'stage', null, 'consent', null, 'score', null, 'fields', jsonb '{}',
      'unreadable', jsonb '[]', 'missing', to_jsonb(mautic.names_of_parts(array(select p.path from mautic.read_parts(a.source) p)))),
    case when a.status_column is null then (select s.email_status from mautic.lead_state s where s.lead_id = k.lead_id) end,
    null::timestamptz, null::bigint
  from (select mautic.lead_id_of(a, key) as lead_id from unnest(p_keys) key) k
$$;

comment on function mautic.unread_leads(mautic.attachment, text[]) is
  'Leads with these keys of a table that does not answer: all of each is named in payload.missing.';

-- What the table of a source no longer gives, kept until the transaction ends: a batch asks some hundred times. Anybody
-- may set the setting, so that it may name parts and nothing else.
create function mautic.lacking_setting(p_source text)
returns text
language sql
immutable
set search_path = ''
as $$
  select 'mautic.lacking_' || p_source
$$;

-- As the table is now, which may be another one than its reader was written for. Should it be altered once it is known what it
-- lacks, the statement fails, and each row is read value by value.
create function mautic.read_what_is_there(p_source text, p_keys text[])
returns setof mautic.lead
language plpgsql
stable
set search_path = ''
as $$
declare
  a mautic.attachment;
  keys constant text[] := array(select distinct k from unnest(p_keys) k);
  lacking text[] := nullif(current_setting(mautic.lacking_setting(p_source), true), '')::text[];
begin
  select * into a from mautic.attachment s where s.source = p_source;
  a.relation := to_regclass(mautic.table_of(a));
  -- A key is compared in the type that it has now.
  a.key_type := (
    select format_type(t.atttypid, -1) from pg_catalog.pg_attribute t
    where t.attrelid = a.relation and t.attname = a.key_column and not t.attisdropped);
  if a.key_type is null or not mautic.can_read(a, mautic.has_key_sql(a, 'null')) then
    return query select r.* from mautic.unread_leads(a, keys) r;
    return;
  end if;
  if lacking is null then
    lacking := mautic.parts_lacking(a);
    perform set_config(mautic.lacking_setting(p_source), lacking::text, true);
  end if;
  return query
    select r.* from mautic.read_halves(
      a,
      mautic.select_lead_sql(a, lacking) || ' where ' || mautic.has_key_sql(a, '$1')
        || case when 'deleted' = any (lacking) then '' else coalesce(' and not ' || mautic.deleted_sql(a.source), '') end,
      keys) r;
end
$$;

comment on function mautic.read_what_is_there(text, text[]) is
  'The leads with these keys of a source of which not all can be read: payload.unreadable names values of a row, payload.missing what the table no longer gives.';

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

create function mautic.has_key_sql(a mautic.attachment, p_keys text default 'keys')
returns text
language sql
stable
set search_path = ''
as $$
  select format('l.%I %s any (%s::%s[])', a.key_column, mautic.operator_sql(a.key_type::regtype, '='), p_keys, a.key_type)
$$;

comment on function mautic.has_key_sql(mautic.attachment, text) is 'SQL that is true for the rows l with the keys p_keys.';

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
    perform set_config(mautic.lacking_setting(a.source), '', true);
    -- A function of its own: what plpgsql has returned before an error stays returned. The owner of a table is
    -- above its policies; where they are forced upon him that is an error, and no table without rows.
    perform mautic.make_function(
      format('read_%s_rows', a.source), 'keys text[]', 'setof mautic.lead', 'stable set row_security = off',
      format(E'begin\n  return query %s\n    where %s;\nend', mautic.select_lead_sql(a), mautic.where_sql(a)));
    body := body || format(
      E'  keys := %1$s;\n  if keys <> ''{}'' then\n    begin\n      return query select r.* from mautic.%2$I(keys) r;\n'
      '    exception when others then\n      return query select r.* from mautic.read_what_is_there(%3$L, keys) r;\n    end;\n  end if;\n',
      mautic.keys_sql(a), format('read_%s_rows', a.source), a.source);
  end loop;
  perform mautic.make_function('read_leads', 'p_lead_ids text[]', 'setof mautic.lead', 'stable', body || 'end');
end
$$;

comment on function mautic.make_readers() is 'Writes mautic.read_leads() and a reader mautic.read_<source>_rows(keys) for each attached source.';
