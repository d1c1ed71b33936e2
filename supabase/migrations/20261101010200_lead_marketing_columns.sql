-- What Mautic tells about a lead.

alter table public.leads
  add column if not exists email_status text,
  add column if not exists email_status_changed_at timestamptz;

comment on column public.leads.email_status is
  'What Mautic knows of the address: null or subscribed (mailable), unsubscribed, bounced, complained.';
comment on column public.leads.email_status_changed_at is
  'When the event behind email_status happened, by Mautic''s clock.';

-- The key of a lead is kept as text: it outlives the row and fits any key type.
create table if not exists public.lead_activity (
  id bigint generated always as identity primary key,
  lead_id text not null,
  type text not null,
  detail jsonb not null default '{}',
  occurred_at timestamptz not null default now(),
  created_at timestamptz not null default now()
);

create index if not exists lead_activity_by_lead on public.lead_activity (lead_id, occurred_at desc);

comment on table public.lead_activity is
  'What happened to a lead in Mautic, one row for each applied change, never rewritten.';

alter table public.lead_activity enable row level security;
