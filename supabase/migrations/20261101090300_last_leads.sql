-- A leads table, attached. Leave this file out where the application has one of its own: a migration of the
-- application's then says mautic.attach(…), as this one does (docs/adapt.md).

do $leads$
declare
  made text[] := array['public.leads'];
  name text;
begin
  if to_regclass('public.leads') is not null then
    -- Not made by us: it gets no columns. What cannot be attached as it is keeps nobody from the rest.
    begin
      perform mautic.attach('public.leads');
    exception
    -- It can be: push again.
    when lock_not_available then
      raise;
    when others then
      raise warning 'public.leads is not attached: %. Until a migration of yours calls mautic.attach(), no lead is sent.', sqlerrm;
    end;
    return;
  end if;

  create table public.leads (
    id uuid primary key default gen_random_uuid(),
    email text,
    first_name text,
    last_name text,
    phone text,
    company text,
    crm_status text,
    marketing_opt_in boolean,
    ml_score numeric,
    utm_source text,
    utm_medium text,
    utm_campaign text,
    utm_term text,
    utm_content text,
    email_status text,
    email_status_changed_at timestamptz,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
  );
  comment on column public.leads.email_status is
    'What Mautic knows of the address: null or subscribed (mailable), unsubscribed, bounced, complained.';
  comment on column public.leads.email_status_changed_at is
    'When the event behind email_status happened, by Mautic''s clock.';
  alter table public.leads enable row level security;

  -- The key of a lead is kept as text: it outlives the row and fits any key type.
  if to_regclass('public.lead_activity') is null then
    create table public.lead_activity (
      id bigint generated always as identity primary key,
      lead_id text not null,
      type text not null,
      detail jsonb not null default '{}',
      occurred_at timestamptz not null default now(),
      created_at timestamptz not null default now()
    );
    create index lead_activity_by_lead on public.lead_activity (lead_id, occurred_at desc);
    comment on table public.lead_activity is
      'What happened to a lead in Mautic, one row for each applied change, never rewritten.';
    alter table public.lead_activity enable row level security;
    -- An identity column draws from its sequence without a right of the caller's.
    execute format(
      'revoke all on sequence %s from anon, authenticated', pg_get_serial_sequence('public.lead_activity', 'id'));
    made := array_append(made, 'public.lead_activity');
  end if;

  foreach name in array made loop
    -- service_role as everywhere on Supabase, the public roles by the application's own policies (row level
    -- security is on and none is made here).
    execute format('grant select, insert, update, delete on %s to service_role', name);
    -- Row level security knows rows: these rights, which the platform gives the public roles on every
    -- new table, are beyond it.
    execute format('revoke truncate, references, trigger on %s from anon, authenticated', name);
    if current_setting('server_version_num')::int >= 170000 then
      execute format('revoke maintain on %s from anon, authenticated', name);
    end if;
  end loop;

  perform mautic.attach(
    'public.leads', status => 'email_status', changed_at => 'coalesce(l.updated_at, l.created_at)',
    activity => case when cardinality(made) = 2 then 'public.lead_activity' end);
end
$leads$;
