-- What a lead is. This file, "lead_read", "lead_write" and "outbox_triggers" know the shape of the
-- leads table; docs/adapt.md says what to change for a table of your own.

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

-- The payload has the shape that mautic-sync's upsert_contact takes (shared/lead/lead.ts).
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
