-- What makes a lead dirty. Statement-level with transition tables: one call however many rows. The columns are
-- written out by attach: compared as columns an update that changes nothing relevant costs a quarter of
-- what it costs as jsonb.
--   insert            the lead is sent
--   update            sent when a column that is read changed, or when its status column became mailable again (it
--                     may be enrolled now). A write of the status alone calls nobody: that also stops echo loops
--   change of key     a new lead, found again by its address; the old key is gone, the contact kept
--   delete            a row still queued for it is dropped; its link stays. The setting on_lead_delete says what
--                     becomes of a contact that no lead uses any more. Soft deletion is the same
--   delete + insert of the same key: the lead as it is afterwards, sent to the contact it had
--   truncate          noted when it happens; contacts are kept whatever the setting
--
-- No trigger of ours may break a write of the application, whatever became of the table or of our own: what
-- cannot be compared is logged by its key, what cannot be logged by key makes the whole table suspect, and
-- where even that fails a warning is all. The bell rings apart: a failure there takes no log row back.

-- By the rows that the statement touched and those logged before; a statement that is just one too many for its
-- transaction is noted by note_bulk(). The setting is written out: a look at it costs a single row a tenth of all.
create function mautic.lane_sql(p_lane mautic.lane, p_rows text)
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    'case when before > %2$s or exists (select from %1$s offset %2$s) then mautic.lane ''bulk'' else %3$L end',
    p_rows, mautic.get('bulk_rows')::int, p_lane)
$$;

comment on function mautic.lane_sql(mautic.lane, text) is 'SQL for the lane of what a trigger logs of the transition table p_rows: p_lane, or bulk.';

-- A bulk in rows of some 24 leads, which hardly ever outgrow what Postgres keeps in the row itself.
create function mautic.log_sql(p_lane mautic.lane, p_rows text, p_changes text)
returns text
language sql
stable
set search_path = ''
as $$
  select format(
    $sql$perform from %1$s offset %2$s;
    if found then
      with logged as (
        insert into mautic.lead_change (lane, lead_ids, times, cause, correlation_id, removal, column_set, changed)
        select 'bulk', array_agg(c.lead_id), array_agg(mautic.clock()), c.cause, given, c.removal, c.column_set, c.changed
        from (%4$s) c
        group by c.cause, c.removal, c.column_set, c.changed,
          (hashtext(c.lead_id) & 2147483647) %% (select count(*) / 24 + 1 from %1$s)
        returning lead_ids
      )
      select coalesce(sum(cardinality(lead_ids)), 0) into changes from logged;
    else
      insert into mautic.lead_change (lane, lead_ids, cause, correlation_id, removal, column_set, changed)
      select
        case when before > %2$s then mautic.lane 'bulk' else %3$L end, array[c.lead_id], c.cause, given, c.removal,
        c.column_set, c.changed
      from (%4$s) c;
      get diagnostics changes = row_count;
    end if$sql$,
    p_rows, mautic.get('bulk_rows')::int, p_lane, p_changes)
$$;

comment on function mautic.log_sql(mautic.lane, text, text) is
  'plpgsql that logs p_changes, a query of (lead_id, cause, removal, column_set, changed), of the transition table p_rows, and counts them in changes.';

-- Single statements that were logged as such before their transaction proved bulk.
create function mautic.note_bulk(p_before bigint, p_changes bigint)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  bulk_rows constant bigint := (select s.value::bigint from mautic.setting s where s.name = 'bulk_rows');
begin
  if p_before <= bulk_rows and p_before + p_changes > bulk_rows then
    insert into mautic.bulk_transaction (xid) values (pg_current_xact_id()) on conflict do nothing;
  end if;
end
$$;

comment on function mautic.note_bulk(bigint, bigint) is 'Notes a transaction that becomes bulk with these changes, after that many before.';

-- p_what: logs by columns and sets changes; p_keys: the insert by keys that it does where that fails.
create function mautic.trigger_body(p_source text, p_what text, p_keys text)
returns text
language sql
immutable
set search_path = ''
as $$
  select format($body$declare
  given pg_catalog.text;
  changes bigint := 0;
  -- Logged by earlier statements of this transaction.
  before bigint;
  is_served boolean := false;
  noted pg_catalog.text;
begin
  -- Under an empty path temporary types come before Postgres' own, and whoever writes may have made some: what hides in a
  -- check of theirs would run with our rights. Until this function ends. An assignment, here and below: plpgsql runs a
  -- perform as a query.
  noted := set_config('search_path', 'pg_catalog, pg_temp', true);
  begin
    given := mautic.given_correlation_id();
    before := coalesce(nullif(current_setting('mautic.changes', true), '')::bigint, 0);
    %1$s;
    if changes > 0 then
      if before > 0 then
        perform mautic.note_bulk(before, changes);
      end if;
      noted := set_config('mautic.changes', (before + changes)::text, true);
      -- As ring_doorbell() does: a call of it only to hear that a worker is there costs as much again, and so does a
      -- savepoint. Without waiting: what fails here would take the log back.
      if before = 0 and mautic.try_doorbell() then
        perform from mautic.worker w where w.lease_expires_at > mautic.clock() limit 1;
        is_served := found;
      end if;
    end if;
  exception when others then
    begin
      %2$s;
      get diagnostics changes = row_count;
    exception when others then
      begin
        insert into mautic.table_change (source, cause) values (%3$L, 'suspect');
      exception when others then
        if current_setting('mautic.warned', true) is distinct from 'yes' then
          perform set_config('mautic.warned', 'yes', false);
          raise warning 'a change of source %% was not seen by the Mautic sync (%%): call mautic.attach() of its table again', %3$L, sqlerrm;
        end if;
      end;
    end;
  end;
  -- Once a transaction.
  if changes > 0 and coalesce(before, 0) = 0 and not is_served then
    begin
      perform mautic.ring_doorbell(mautic.correlation_id(), changes);
    exception when others then
      -- The sweep finds the change.
      null;
    end;
  end if;
  return null;
end$body$, p_what, p_keys, p_source)
$$;

comment on function mautic.trigger_body(text, text, text) is 'The body of a trigger function: p_what, else p_keys, else the whole table, else a warning once a session.';

create function mautic.lead_id_in(a mautic.attachment, p_row text)
returns text
language sql
stable
set search_path = ''
as $$
  select mautic.lead_id_sql(a, mautic.key_sql(p_row, a.key_column, t.atttypid), t.atttypid)
  from pg_catalog.pg_attribute t
  where t.attrelid = a.relation and t.attname = a.key_column and not t.attisdropped
$$;

comment on function mautic.lead_id_in(mautic.attachment, text) is 'SQL for the lead id of a row, named as p_row.';

-- Not mautic.get(), which raises: a lost setting must not break the application's delete.
create function mautic.removal_set()
returns mautic.contact_removal
language sql
stable
set search_path = ''
as $$
  select nullif(s.value, 'keep')::mautic.contact_removal from mautic.setting s where s.name = 'on_lead_delete'
$$;

comment on function mautic.removal_set() is 'What becomes of the contact of a lead that is deleted now; null: it is kept.';

-- By which old and new rows are one: as the lead id is made of it, where its type would call other texts equal.
create function mautic.join_sql(a mautic.attachment, p_row text)
returns text
language sql
stable
set search_path = ''
as $$
  select case
    when mautic.is_plain_type(t.atttypid) then mautic.comparable_sql(a.relation, p_row, a.key_column)
    else mautic.key_sql(p_row, a.key_column, t.atttypid)
  end
  from pg_catalog.pg_attribute t
  where t.attrelid = a.relation and t.attname = a.key_column and not t.attisdropped
$$;

comment on function mautic.join_sql(mautic.attachment, text) is 'SQL for the key of a row, named as p_row, as a trigger compares it.';

create function mautic.log_insert_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select mautic.log_sql('new', 'new_lead', format(
    'select %s as lead_id, mautic.change_cause ''insert'' as cause, null::mautic.contact_removal as removal, '
    'null::int as column_set, null::bigint[] as changed from new_lead l%s',
    mautic.lead_id_in(a, 'l'), coalesce(' where not ' || mautic.deleted_sql(a.source), '')))
$$;

create function mautic.log_delete_sql(a mautic.attachment)
returns text
language sql
stable
set search_path = ''
as $$
  select mautic.log_sql('live', 'old_lead', format(
    'select %s as lead_id, mautic.change_cause ''delete'' as cause, (select mautic.removal_set()) as removal, '
    'null::int as column_set, null::bigint[] as changed from old_lead l%s',
    mautic.lead_id_in(a, 'l'), coalesce(' where not ' || mautic.deleted_sql(a.source), '')))
$$;

-- A full join, which Postgres never does row by row. An inner or left join may be: plpgsql keeps the
-- plan for the session, and one made for a single row would then serve 10,000, with 10^8 compares.
create function mautic.log_update_sql(a mautic.attachment)
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  deleted constant text := mautic.deleted_sql(a.source);
  -- A name that no table has.
  rows constant text := '(select l.*, ' || deleted || ' as "mautic: deleted?" from ';
  new_key constant text := mautic.join_sql(a, 'n');
  old_key constant text := mautic.join_sql(a, 'o');
  columns name[];
  new_row text;
  old_row text;
  changed text;
  became_mailable text := 'false';
begin
  select
    array_agg(c order by c),
    string_agg(mautic.comparable_sql(a.relation, 'n', c), ', ' order by c),
    string_agg(mautic.comparable_sql(a.relation, 'o', c), ', ' order by c),
    mautic.changed_sql(array_agg(format(
      '%s is distinct from %s', mautic.comparable_sql(a.relation, 'n', c), mautic.comparable_sql(a.relation, 'o', c)) order by c))
  into columns, new_row, old_row, changed
  from unnest(mautic.columns_read(a.source)) c
  where mautic.comparable_sql(a.relation, 'n', c) is not null;
  if a.status_column is not null then
    became_mailable := format(
      '(coalesce(o.%1$I::text, ''subscribed'') <> ''subscribed'' and coalesce(n.%1$I::text, ''subscribed'') = ''subscribed'')',
      a.status_column);
  end if;

  return mautic.log_sql('live', 'new_lead', format(
    $sql$select
      case when %1$s is null then %2$s else %3$s end as lead_id,
      case
        when %1$s is null%4$s then mautic.change_cause 'delete'
        when %5$s is null%6$s then 'insert'
        -- Mailable again and nothing else: looked at once more, but not newer than before.
        when %7$s and row(%8$s) is not distinct from row(%9$s) then 'mailable'
        else 'update'
      end as cause,
      case when %1$s is null%4$s then (select mautic.removal_set()) end as removal,
      %14$s as column_set,
      %10$s as changed
    from %11$s n
    full join %12$s o on %5$s = %1$s
    where (
        %1$s is null
        or %5$s is null
        or row(%8$s) is distinct from row(%9$s)
        or %7$s
      )%13$s$sql$,
    new_key, mautic.lead_id_in(a, 'o'), mautic.lead_id_in(a, 'n'),
    case when deleted is null then '' else ' or (n."mautic: deleted?" and not o."mautic: deleted?")' end,
    old_key,
    case when deleted is null then '' else ' or (o."mautic: deleted?" and not n."mautic: deleted?")' end,
    became_mailable, coalesce(new_row, 'null'), coalesce(old_row, 'null'), coalesce(changed, 'null::bigint[]'),
    coalesce(rows || 'new_lead l)', 'new_lead'), coalesce(rows || 'old_lead l)', 'old_lead'),
    -- Deleted it was and deleted it is.
    case
      when deleted is null then ''
      else ' and not (coalesce(n."mautic: deleted?", true) and coalesce(o."mautic: deleted?", true))'
    end,
    mautic.column_set_of(coalesce(columns, '{}'))));
end
$$;

comment on function mautic.log_insert_sql(mautic.attachment) is 'SQL that logs inserted leads.';
comment on function mautic.log_delete_sql(mautic.attachment) is 'SQL that logs deleted leads.';
comment on function mautic.log_update_sql(mautic.attachment) is 'SQL that logs leads of which a column that is read changed.';

-- Nobody has to wait behind us: a session that holds the table for longer is named, and the call can be made again.
create function mautic.run_patiently(p_relation oid, p_statement text)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  before constant text := current_setting('lock_timeout');
begin
  perform set_config('lock_timeout', '2s', true);
  execute p_statement;
  perform set_config('lock_timeout', before, true);
exception when lock_not_available then
  raise exception '% is held by another session for longer than two seconds (%). Nothing was changed: end it, or wait, and '
    'say it again.', p_relation::regclass, coalesce((
      select string_agg(distinct format('pid %s, since %s, %s', s.pid, date_trunc('second', s.xact_start), s.state), '; ')
      from pg_catalog.pg_locks k join pg_catalog.pg_stat_activity s on s.pid = k.pid
      -- A mere reader keeps nobody from making triggers.
      where k.relation = p_relation and k.granted and k.pid <> pg_backend_pid() and k.mode not in ('AccessShareLock', 'RowShareLock')), 'it is gone by now')
    using errcode = 'lock_not_available';
end
$$;

comment on function mautic.run_patiently(oid, text) is
  'Runs a statement that locks a table of the application''s, and waits two seconds for it. Raises lock_not_available, naming who holds it.';

-- The functions are made anew, which holds no lock on the table; a trigger only where it is missing.
create function mautic.make_triggers(a mautic.attachment)
returns void
language plpgsql
volatile
set search_path = ''
as $$
declare
  by_key constant text :=
    'insert into mautic.lead_change (lane, lead_ids, cause, correlation_id) '
    'select %s, array[%s], ''suspect'', given from %s';
  -- Each key once, whether the row had it or has it.
  either_row constant text := format('(select l.%1$I from new_lead l union select l.%1$I from old_lead l) l', a.key_column);
  key_sql constant text := mautic.lead_id_in(a, 'l');
  event record;
  found record;
begin
  for event in
    select * from (values
      ('insert', 'volatile', 'referencing new table as new_lead', mautic.log_insert_sql(a), format(by_key, mautic.lane_sql('live', 'new_lead'), key_sql, 'new_lead l')),
      -- Of transition tables Postgres knows no more than their sizes: it would sort where hashing takes half the time.
      ('update', 'volatile set enable_mergejoin = off set enable_sort = off set work_mem = ''16MB''',
        'referencing old table as old_lead new table as new_lead', mautic.log_update_sql(a),
        format(by_key, mautic.lane_sql('live', 'new_lead'), key_sql, either_row)),
      ('delete', 'volatile', 'referencing old table as old_lead', mautic.log_delete_sql(a), format(by_key, mautic.lane_sql('live', 'old_lead'), key_sql, 'old_lead l')),
      ('truncate', 'volatile', '', format('insert into mautic.table_change (source, cause) values (%L, ''truncate''); get diagnostics changes = row_count', a.source),
        'raise')
    ) as e(name, settings, tables, what, keys)
  loop
    perform mautic.make_function(
      format('log_%s_%s', a.source, event.name), '', 'trigger', event.settings,
      mautic.trigger_body(a.source, event.what, event.keys));
    -- By its function: the application may have given it another name.
    select t.tgname, t.tgenabled into found
    from pg_catalog.pg_trigger t
    where t.tgrelid = a.relation and t.tgfoid = format('mautic.%I', format('log_%s_%s', a.source, event.name))::regproc;
    if found.tgname is null then
      perform mautic.run_patiently(a.relation, format(
        'create trigger %I after %s on %s %s for each statement execute function mautic.%I()',
        format('mautic_%s_%s', a.source, event.name), event.name, a.relation::regclass, event.tables,
        format('log_%s_%s', a.source, event.name)));
    elsif found.tgenabled in ('D', 'R') then
      perform mautic.run_patiently(a.relation, format('alter table %s enable trigger %I', a.relation::regclass, found.tgname));
    end if;
  end loop;
end
$$;

comment on function mautic.make_triggers(mautic.attachment) is
  'Writes the trigger functions mautic.log_<source>_<event>() of an attached table, and makes those triggers mautic_<source>_<event> that are missing; switched off ones are switched on.';
