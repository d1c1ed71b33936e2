-- Detaching: nothing of ours stays on a table.

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
