-- What is known of Mautic. All of it is keyed by origin (the base URL): a project pointed at
-- another Mautic must not edit strangers by old ids.

create table mautic.contact (
  origin text not null,
  contact_id bigint not null,
  address text not null,
  snapshot jsonb not null default '{}',
  refused jsonb not null default '{}',
  do_not_contact jsonb not null default '[]',
  lead_id text,
  lead_changed_at timestamptz,
  answered_at timestamptz not null default mautic.clock(),
  lifting_after bigint,
  lifting_until timestamptz,
  lifted jsonb,
  -- Here and in all that is kept of contacts the origin, mostly one, stands last: before the tables'
  -- first analyze the planner takes any index whose first column is given, and one by origin is read whole.
  primary key (contact_id, origin)
);

create index contact_by_address on mautic.contact (address, origin);

-- The few that every batch asks for.
create index contact_lifted on mautic.contact (contact_id, origin) where lifted is not null;

comment on table mautic.contact is 'A Mautic contact as its last answer to us showed it.';
comment on column mautic.contact.address is 'Its e-mail address, trimmed and in lower case.';
comment on column mautic.contact.snapshot is
  'Field alias to value, for the fields we sent: what Mautic confirmed. A delta is taken against it.';
comment on column mautic.contact.refused is
  'Field alias to the value we sent and Mautic did not take (unknown alias, cut, stripped). Not sent again until it changes.';
comment on column mautic.contact.do_not_contact is 'Do-not-contact entries of the last answer: channel, reason, comments.';
comment on column mautic.contact.lifting_until is
  'Our own entry is being lifted, which Mautic tells of like of a resubscription: until then one is not believed when an '
  'opt-out came after the event lifting_after.';
comment on column mautic.contact.lifted is 'The entries that were there when our own was lifted, until that is overtaken by an opt-out.';
comment on column mautic.contact.lead_id is 'The lead whose state the contact shows: of several, the newest change wins.';

alter table mautic.contact enable row level security;

create table mautic.contact_link (
  origin text not null,
  lead_id text not null,
  contact_id bigint not null,
  address text,
  changed_at timestamptz,
  filled text[] not null default '{}',
  linked_at timestamptz not null default mautic.clock(),
  left_at timestamptz,
  -- In this order: a fold asks for a lead's links whatever the Mautic.
  primary key (lead_id, origin)
);

create index contact_link_by_contact on mautic.contact_link (contact_id, origin);

create index contact_link_left on mautic.contact_link (lead_id, origin) where left_at is not null;

comment on table mautic.contact_link is
  'Which contact a lead is. Several leads may be one contact. Outlives the lead: late answers and erasure need it.';
comment on column mautic.contact_link.address is
  'The address that the lead itself had when it was last done. Tells a lead that moved from one whose contact was merged.';
comment on column mautic.contact_link.changed_at is 'When the newest change of the lead that was done was made.';
comment on column mautic.contact_link.left_at is
  'Since when the contact is gone from Mautic and left alone (setting on_contact_deleted); a forced replay creates it again.';
comment on column mautic.contact_link.filled is
  'Aliases this lead has given a value before: only these are blanked when the lead empties them.';

alter table mautic.contact_link enable row level security;
