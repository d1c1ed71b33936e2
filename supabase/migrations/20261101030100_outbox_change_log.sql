-- What the triggers write: the log of changes.

-- Types rather than checks: Postgres parses and plans a table's checks anew for every statement that
-- inserts, which on a single-row write of a lead was a fifth of what the trigger cost.
create type mautic.change_cause as enum ('insert', 'update', 'delete', 'suspect', 'replay', 'mailable');

comment on type mautic.change_cause is 'Why a lead is sent. suspect: it was written, and its columns could not be compared. replay and mailable (email_status became '
  'mailable again, and nothing else) make it no newer.';

create type mautic.contact_removal as enum ('do_not_contact', 'delete_contact');

comment on type mautic.contact_removal is 'What becomes of the contact of a lead that was deleted.';

-- Append-only. An upsert in the trigger would make the application's own writes fail: at
-- REPEATABLE READ with serialisation errors, and in deadlocks against a settling worker (both
-- reproduced). A claim folds this log into the outbox.
create table mautic.lead_change (
  priority smallint not null default 0,
  id bigint generated always as identity,
  lead_id text not null,
  cause mautic.change_cause not null,
  force boolean not null default false,
  correlation_id text not null,
  changed_at timestamptz not null default mautic.clock(),
  queued_at timestamptz,
  removal mautic.contact_removal,
  columns name[],
  -- Fold reads in this order: a backfill never stands before a fresh lead.
  primary key (priority, id)
);

comment on table mautic.lead_change is
  'Log of lead writes that Mautic has to hear of; emptied by mautic.fold().';
comment on column mautic.lead_change.priority is '0 = live change, 1 = replay or backfill.';
comment on column mautic.lead_change.changed_at is
  'When the lead changed. A replay is no change: fold gives it the time of the last one, where that is known. Else '
  'this counts, the lead''s own, so that among leads of one person the newest still wins.';
comment on column mautic.lead_change.queued_at is 'Of a replay: when it was asked for. null: changed_at says it.';
comment on column mautic.lead_change.removal is
  'Of a deleted lead: what becomes of its contact, as the setting on_lead_delete was then. null: it is kept.';
comment on column mautic.lead_change.force is 'Send all fields, even those Mautic confirmed already.';

alter table mautic.lead_change enable row level security;
comment on column mautic.lead_change.columns is 'Of an update: the columns that changed, of those that are read. null: all may have.';

-- What befell a table as a whole.
create type mautic.table_cause as enum ('truncate', 'suspect');

comment on type mautic.table_cause is 'truncate: its rows are gone. suspect: something was written that could not be logged row by row.';

create table mautic.table_change (
  id bigint generated always as identity primary key,
  source text not null,
  cause mautic.table_cause not null,
  changed_at timestamptz not null default mautic.clock()
);

comment on table mautic.table_change is 'Log of what befell attached tables as a whole; emptied by mautic.fold() and by the comparison.';

alter table mautic.table_change enable row level security;
