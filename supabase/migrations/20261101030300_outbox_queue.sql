-- What the workers read: one row for each lead that is to be sent.

create table mautic.outbox (
  lead_id text primary key,
  version bigint not null default 1,
  lane mautic.lane not null default 'live',
  state text not null default 'pending' check (state in ('pending', 'leased', 'waiting', 'dead')),
  force boolean not null default false,
  chosen boolean not null default false,
  fill boolean not null default false,
  withdraws boolean not null default false,
  correlation_id text not null,
  enqueued_at timestamptz not null,
  changed_at timestamptz not null,

  -- a lease
  leased_by uuid,
  lease_token uuid,
  leased_version bigint,
  leased_at timestamptz,
  lease_expires_at timestamptz,
  person_keys text[],

  -- what earlier attempts taught
  attempts int not null default 0,
  not_before timestamptz,
  ambiguous boolean not null default false,
  attempted jsonb not null default '[]',
  removal mautic.contact_removal,
  failed_alone int not null default 0,
  error_code text,
  error_message text,
  error_remedy text,
  error_at timestamptz,

  check ((state = 'leased') = (lease_token is not null)),
  check (state <> 'waiting' or not_before is not null)
);

-- One partial index for each question, so that none grows with the rows the others are about.
-- The functions that go through queues use them whatever the planner thinks (enable_seqscan = off): a
-- session keeps its plans, and one made while the queue is empty, as it mostly is, reads all of it
-- once it is full, for each lead. Until the next analyze a claim took 17 s after an import of 100,000
-- leads, and takes 0.06 s like this. jit: an unavoidable scan is priced as if it were worth compiling.
create index outbox_pending on mautic.outbox (lane, enqueued_at, lead_id) where state = 'pending';

create index outbox_chosen on mautic.outbox (enqueued_at) where chosen;

create index outbox_waiting on mautic.outbox (not_before) where state = 'waiting';

create index outbox_leased on mautic.outbox (lease_expires_at) where state = 'leased';

create index outbox_dead on mautic.outbox (error_at) where state = 'dead';

create index outbox_held on mautic.outbox (lead_id) where person_keys is not null;

comment on table mautic.outbox is
  'One row for each lead that Mautic has not confirmed in its newest state. Gone once it has.';
comment on column mautic.outbox.version is
  'Raised by every fold. A settle of an older version leaves the row pending.';
comment on column mautic.outbox.lane is 'Of all changes that are in it the first: a single edit lifts a lead out of a bulk.';
comment on column mautic.outbox.chosen is 'Goes out although its project is not live (mautic.go_live).';
comment on column mautic.outbox.fill is 'The first send of a lead that was there before us: a contact that is in Mautic already gets its blanks filled only.';
comment on column mautic.outbox.withdraws is 'Of a known lead that said no: the no reaches a contact that is there, and nothing else is sent.';
comment on column mautic.outbox.state is
  'pending: due. leased: with a worker. waiting: due at not_before. dead: needs a person; an edit revives it.';
comment on column mautic.outbox.enqueued_at is 'When the oldest unsent change was made: the order of sending.';
comment on column mautic.outbox.changed_at is 'When the newest change was made: decides among leads of one person.';
comment on column mautic.outbox.person_keys is
  'Who is meant, frozen at claim: address, last-sent address, contact id. While set, no other row '
  'with one of these keys is claimed. Kept through the grace after an ambiguous outcome.';
comment on column mautic.outbox.not_before is
  'Back-off or grace. Only settle and lease expiry set it: no edit or replay cuts a grace short.';
comment on column mautic.outbox.ambiguous is
  'The last attempt may have reached Mautic: look the person up before creating anything.';
comment on column mautic.outbox.attempted is
  'What attempts may have brought to Mautic that nobody has confirmed, oldest first: [{address, payload}]. The lead may '
  'have another address by now, and may have emptied what they filled.';
comment on column mautic.outbox.removal is
  'The lead was deleted: what to do with its contact, unless another lead uses it. Also of mautic.erase(), '
  'whose lead_id is erase:…; attempted then holds the address to erase.';
comment on column mautic.outbox.error_remedy is
  'Of a dead letter: what a person can do, by whoever gave it up (shared/errors/codes.ts has the list).';
comment on column mautic.outbox.failed_alone is
  'How often Mautic failed (5xx) on this item in a request of its own while others passed.';

alter table mautic.outbox enable row level security;
