-- What makes a lead dirty. Statement-level with transition tables: one call however many rows.
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
create function mautic.log_lead_insert()
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

comment on function mautic.log_lead_insert() is 'Logs inserted leads and rings the doorbell.';

-- A full join, which Postgres never does row by row. An inner or left join may be: plpgsql keeps the
-- plan for the session, and one made for a single row would then serve 10,000, with 10^8 compares.
create function mautic.log_lead_update()
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

comment on function mautic.log_lead_update() is 'Logs leads whose payload columns changed and rings the doorbell.';

create function mautic.log_lead_delete()
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

comment on function mautic.log_lead_delete() is 'Logs deleted leads so that what was queued for them is dropped.';

create trigger mautic_lead_insert
after insert on public.leads
referencing new table as new_lead
for each statement execute function mautic.log_lead_insert();

create trigger mautic_lead_update
after update on public.leads
referencing old table as old_lead new table as new_lead
for each statement execute function mautic.log_lead_update();

create trigger mautic_lead_delete
after delete on public.leads
referencing old table as old_lead
for each statement execute function mautic.log_lead_delete();
