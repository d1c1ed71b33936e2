-- How what Mautic tells of a person reaches the rows of the leads table. Writing the two columns
-- calls nobody, but for a lead that became mailable again (migration "outbox_triggers").

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
