-- The campaigns that we put contacts into.

create table mautic.enrollment (
  origin text not null,
  contact_id bigint not null,
  campaign_id bigint not null,
  state text not null default 'intended' check (state in ('intended', 'confirmed')),
  lead_id text,
  correlation_id text not null,
  intended_at timestamptz not null default mautic.clock(),
  confirmed_at timestamptz,
  held_by text,
  held_until timestamptz,
  primary key (contact_id, campaign_id, origin)
);

comment on table mautic.enrollment is
  'Once per contact and campaign. Intended is committed before the call, confirmed after it; '
  'a row found intended means: read the membership first, adding again may restart the flow.';
comment on column mautic.enrollment.lead_id is 'The lead that brought it about; null for add_to_campaign by a caller.';
comment on column mautic.enrollment.held_by is
  'Who is at it until held_until, lead:… or call:…: nobody else adds the contact meanwhile.';

alter table mautic.enrollment enable row level security;
