-- Everything that knows the shape of the leads table is in this file. To sync another table
-- (another name, a bigint key, jsonb columns), change the names below and nothing else:
--   1. mautic.lead          what a lead is
--   2. mautic.read_leads    the same, for some keys, by the table's own index
--   3. three triggers       what makes a lead dirty
--   4. find, lock, write    how what Mautic tells of a person reaches the rows

-- A time that is one; a column of this name may hold anything.
create function mautic.as_time(p_text text)
returns timestamptz
language plpgsql
stable
set search_path = ''
as $$
begin
  return p_text::timestamptz;
exception when others then
  return null;
end
$$;

-- 1. The payload has the shape that mautic-sync's upsert_contact takes (shared/lead.ts).
create view mautic.lead with (security_invoker = true) as
select
  l.id as key,
  l.id::text as lead_id,
  lower(btrim(l.email::text, E' \t\n\r\u00a0\ufeff')) as address,
  jsonb_build_object(
    'id', l.id::text,
    'crm_status', l.crm_status::text,
    'consent', jsonb_build_object('marketing_opt_in', l.marketing_opt_in),
    'ml', jsonb_build_object('score', l.ml_score),
    'contact', jsonb_build_object(
      'email', l.email,
      'first_name', l.first_name::text,
      'last_name', l.last_name::text,
      'phone', l.phone::text,
      'company', l.company::text
    ),
    'utm', jsonb_build_object(
      'source', l.utm_source::text,
      'medium', l.utm_medium::text,
      'campaign', l.utm_campaign::text,
      'term', l.utm_term::text,
      'content', l.utm_content::text
    )
  ) as payload,
  l.email_status::text as email_status,
  -- For replays by filter. Read through jsonb, because a table may do without these columns.
  l.crm_status::text as crm_status,
  coalesce(mautic.as_time(to_jsonb(l) ->> 'updated_at'), mautic.as_time(to_jsonb(l) ->> 'created_at')) as changed_at
from public.leads l;

comment on view mautic.lead is
  'Each lead as mautic-sync sends it. key: the table''s own; address: trimmed, lower case; '
  'changed_at: its updated_at, else created_at, else null.';

-- Finding all leads of an address must not scan the table. Written out, as in the view, instead of
-- mautic.normalize_address(): whoever writes a lead would need the right to call it.
create index if not exists leads_by_address on public.leads (lower(btrim(email::text, E' \t\n\r\u00a0\ufeff')));

-- 2. Keys come as text; compared in the key's own type, so that the primary key serves. The type
-- is read from the table: a uuid, bigint or text key needs no edit here.
do $read_leads$
declare
  key_type constant text := (
    select format_type(a.atttypid, a.atttypmod)
    from pg_attribute a
    where a.attrelid = 'public.leads'::regclass and a.attname = 'id');
begin
  -- A function of its own: what plpgsql has returned before an error stays returned.
  execute format(
    $function$
      create function mautic.read_keys(p_lead_ids text[])
      returns table (lead_id text, address text, payload jsonb, email_status text)
      language plpgsql
      stable
      security definer
      set search_path = ''
      as $body$
      begin
        return query
          select v.lead_id, v.address, v.payload, v.email_status
          from mautic.lead v
          where v.key = any (p_lead_ids::%1$s[]);
      end
      $body$
    $function$,
    key_type);

  execute format(
    $function$
      create function mautic.read_leads(p_lead_ids text[])
      returns table (lead_id text, address text, payload jsonb, email_status text)
      language plpgsql
      stable
      security definer
      set search_path = ''
      as $body$
      declare
        one text;
      begin
        return query select r.* from mautic.read_keys(p_lead_ids) r;
      exception when data_exception then
        foreach one in array p_lead_ids loop
          begin
            perform one::%1$s;
          exception when data_exception then
            -- An id that is no key of this table (upsert_contact may bring any): nobody's lead.
            continue;
          end;
          begin
            return query select r.* from mautic.read_keys(array[one]) r;
          exception when data_exception then
            -- The row is there and the view cannot read it: a dead letter, and nobody to be mailed.
            return query select one, null::text, jsonb_build_object('id', one), 'unreadable'::text;
          end;
        end loop;
      end
      $body$
    $function$,
    key_type);
end
$read_leads$;

comment on function mautic.read_leads(text[]) is 'The leads with these keys, as they are now. Unknown keys are left out.';

-- 3. What makes a lead dirty. Statement-level with transition tables: one call however many rows.
-- Rules:
--   insert            the lead is sent
--   update            sent when a column of the payload changed (columns are compared, not jsonb:
--                     1.5x against 6x the cost on updates that change nothing relevant), or when
--                     email_status became mailable again (it may be enrolled now). A write of
--                     email_status or updated_at alone calls nobody: that also stops echo loops
--   change of key     a new lead, found again by its address; the old key is gone, the contact kept
--   delete            a row still queued for it is dropped; its link stays. The setting
--                     on_lead_delete says what becomes of a contact that no lead uses any more
--   delete + insert of the same key: the lead as it is afterwards, sent to the contact it had
--   truncate          noticed at the next claim; contacts are kept whatever the setting
create function mautic.note_lead_insert()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  changes bigint;
begin
  insert into mautic.lead_change (lead_id, cause, correlation_id)
  select n.id::text, 'insert', correlation
  from new_lead n;
  get diagnostics changes = row_count;
  if changes > 0 then
    perform mautic.ring_doorbell(correlation, changes);
  end if;
  return null;
end
$$;

-- A full join, which Postgres never does row by row. An inner or left join may be: plpgsql keeps the
-- plan for the session, and one made for a single row would then serve 10,000, with 10^8 compares.
create function mautic.note_lead_update()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  changes bigint;
begin
  insert into mautic.lead_change (lead_id, cause, correlation_id)
  select
    coalesce(n.id, o.id)::text,
    case
      when n.id is null then mautic.change_cause 'delete'
      when o.id is null then 'insert'
      -- Mailable again and nothing else: looked at once more, but not newer than before.
      when coalesce(n.email_status, 'subscribed') is distinct from coalesce(o.email_status, 'subscribed')
        and to_jsonb(n) - '{email_status,email_status_changed_at,updated_at}'::text[]
          = to_jsonb(o) - '{email_status,email_status_changed_at,updated_at}'::text[] then 'mailable'
      else 'update'
    end,
    correlation
  from new_lead n
  full join old_lead o on o.id = n.id
  where n.id is null
    or o.id is null
    or (
      n.email, n.first_name, n.last_name, n.phone, n.company,
      n.crm_status, n.marketing_opt_in, n.ml_score,
      n.utm_source, n.utm_medium, n.utm_campaign, n.utm_term, n.utm_content
    ) is distinct from (
      o.email, o.first_name, o.last_name, o.phone, o.company,
      o.crm_status, o.marketing_opt_in, o.ml_score,
      o.utm_source, o.utm_medium, o.utm_campaign, o.utm_term, o.utm_content
    )
    or (
      coalesce(o.email_status, 'subscribed') <> 'subscribed'
      and coalesce(n.email_status, 'subscribed') = 'subscribed'
    );
  get diagnostics changes = row_count;
  if changes > 0 then
    perform mautic.ring_doorbell(correlation, changes);
  end if;
  return null;
end
$$;

create function mautic.note_lead_delete()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  changes bigint;
begin
  insert into mautic.lead_change (lead_id, cause, correlation_id, removal)
  select
    o.id::text, 'delete', correlation,
    -- Not mautic.get(), which raises: a lost setting must not break the application's delete.
    (select nullif(s.value, 'keep')::mautic.contact_removal from mautic.setting s where s.name = 'on_lead_delete')
  from old_lead o;
  get diagnostics changes = row_count;
  if changes > 0 then
    perform mautic.ring_doorbell(correlation, changes);
  end if;
  return null;
end
$$;

create trigger mautic_lead_insert
after insert on public.leads
referencing new table as new_lead
for each statement execute function mautic.note_lead_insert();

create trigger mautic_lead_update
after update on public.leads
referencing old table as old_lead new table as new_lead
for each statement execute function mautic.note_lead_update();

create trigger mautic_lead_delete
after delete on public.leads
referencing old table as old_lead
for each statement execute function mautic.note_lead_delete();

comment on function mautic.note_lead_insert() is 'Logs inserted leads and rings the doorbell.';
comment on function mautic.note_lead_update() is 'Logs leads whose payload columns changed and rings the doorbell.';
comment on function mautic.note_lead_delete() is 'Logs deleted leads so that what was queued for them is dropped.';

-- 4. What Mautic tells of a person: whose it is, and where it is written (mautic.apply_events).
-- Writing these two columns calls nobody, but for a lead that became mailable again (section 3).
create function mautic.find_leads(p_addresses text[])
returns table (lead_id text, address text)
language sql
stable
security definer
set search_path = ''
as $$
  select v.lead_id, v.address
  from mautic.lead v
  where v.address = any (p_addresses);
$$;

comment on function mautic.find_leads(text[]) is 'All leads with these addresses (trimmed, lower case), by the index leads_by_address.';

do $write_back$
declare
  key_type constant text := (
    select format_type(a.atttypid, a.atttypmod)
    from pg_attribute a
    where a.attrelid = 'public.leads'::regclass and a.attname = 'id');
begin
  execute format(
    $function$
      create function mautic.lock_leads(p_lead_ids text[])
      returns table (lead_id text, email_status text, email_status_changed_at timestamptz)
      language sql
      volatile
      security definer
      set search_path = ''
      as $body$
        select l.id::text, l.email_status::text, l.email_status_changed_at::timestamptz
        from public.leads l
        where l.id = any (p_lead_ids::%1$s[])
        -- One order for all who lock several: no deadlocks among deliveries.
        order by l.id
        for no key update;
      $body$
    $function$,
    key_type);

  execute format(
    $function$
      create function mautic.free_leads(p_lead_ids text[])
      returns setof text
      language sql
      volatile
      security definer
      set search_path = ''
      as $body$
        select l.id::text
        from public.leads l
        where l.id = any (p_lead_ids::%1$s[])
        order by l.id
        for no key update skip locked;
      $body$
    $function$,
    key_type);

  execute format(
    $function$
      create function mautic.delete_leads(p_lead_ids text[])
      returns int
      language plpgsql
      volatile
      security definer
      set search_path = ''
      as $body$
      declare
        deleted int;
      begin
        delete from public.leads l where l.id = any (p_lead_ids::%1$s[]);
        get diagnostics deleted = row_count;
        return deleted;
      end
      $body$
    $function$,
    key_type);

  execute format(
    $function$
      create function mautic.write_email_status(
        p_lead_ids text[], p_statuses text[], p_changed_at timestamptz[]
      )
      returns void
      language sql
      volatile
      security definer
      set search_path = ''
      as $body$
        update public.leads l
        set email_status = w.status, email_status_changed_at = w.changed_at
        from unnest(p_lead_ids::%1$s[], p_statuses, p_changed_at) as w(id, status, changed_at)
        -- The array as well as the join: whatever is guessed of its length, the key's index serves.
        where l.id = w.id and l.id = any (p_lead_ids::%1$s[]);
      $body$
    $function$,
    key_type);
end
$write_back$;

comment on function mautic.lock_leads(text[]) is 'Locks these leads until the transaction ends and returns their status as it is then.';
comment on function mautic.free_leads(text[]) is 'Locks those of these leads that nobody holds, without waiting, and returns them.';
comment on function mautic.write_email_status(text[], text[], timestamptz[]) is 'Writes email_status and email_status_changed_at of these leads.';
