-- Attaching a table: the one way for its rows to become leads. Called in a migration of the application's own, by
-- who owns the table, and with nobody else's rights. It decides by names, types, checks and defaults only,
-- so that it does the same everywhere; what the rows or Mautic say are findings of doctor.

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
