-- A declared source and its table become one: readers, triggers, state.

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
    status_at_column = a.status_at_column, activity = a.activity, attached_at = a.attached_at, overlong = 0, problem = null,
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
