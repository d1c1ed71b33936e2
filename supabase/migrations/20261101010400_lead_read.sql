-- Leads by key and by address, as they are now, each by the table's own index.

-- Keys come as text; compared in the key's own type, so that the primary key serves. The type
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
