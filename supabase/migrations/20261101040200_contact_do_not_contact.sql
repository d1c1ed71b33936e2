-- What Mautic keeps apart from its contacts, and tells of page by page.

create table mautic.do_not_contact (
  origin text not null,
  entry_id bigint not null,
  contact_id bigint not null,
  channel text not null,
  kind text check (kind in ('unsubscribed', 'bounced', 'complained', 'manual')),
  detail jsonb not null default '{}',
  added_at timestamptz not null,
  primary key (entry_id, origin)
);

create index do_not_contact_by_contact on mautic.do_not_contact (contact_id, origin);

create index do_not_contact_by_age on mautic.do_not_contact (origin, added_at);

comment on table mautic.do_not_contact is 'Mautic''s do-not-contact rows as last read, of all channels and contacts.';
comment on column mautic.do_not_contact.kind is 'What it means for email_status; null for other channels and for our own marked entry.';

alter table mautic.do_not_contact enable row level security;
