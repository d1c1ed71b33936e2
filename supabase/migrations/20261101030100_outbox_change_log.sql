-- What the triggers write: the log of changes.

-- Types rather than checks: Postgres parses and plans a table's checks anew for every statement that
-- inserts, which on a single-row write of a lead was a fifth of what the trigger cost.
create type mautic.change_cause as enum ('insert', 'update', 'delete', 'suspect', 'replay', 'mailable');

comment on type mautic.change_cause is 'Why a lead is sent. suspect: it was written, and its columns could not be compared. replay and mailable (email_status became '
  'mailable again, and nothing else) make it no newer.';

create type mautic.contact_removal as enum ('do_not_contact', 'delete_contact');

comment on type mautic.contact_removal is 'What becomes of the contact of a lead that was deleted.';

-- Among lanes the order of sending is by weight (mautic.pick), within one by age.
create type mautic.lane as enum ('new', 'live', 'bulk', 'backfill');

comment on type mautic.lane is
  'new: a lead somebody just made. live: an edit. bulk: of a statement or a transaction with more rows than the setting '
  'bulk_rows. backfill: replays, and what a comparison found.';

-- Append-only. An upsert in the trigger would make the application's own writes fail: at
-- REPEATABLE READ with serialisation errors, and in deadlocks against a settling worker (both
-- reproduced). A claim folds this log into the outbox.
create table mautic.lead_change (
  lane mautic.lane not null default 'live',
  id bigint generated always as identity,
  lead_ids text[] not null,
  cause mautic.change_cause not null,
  force boolean not null default false,
  correlation_id text,
  changed_at timestamptz not null default mautic.clock(),
  times timestamptz[],
  queued_at timestamptz,
  removal mautic.contact_removal,
  column_set int,
  changed bigint[],
  chosen boolean not null default false,
  fill boolean not null default false,
  xid xid8 not null default pg_current_xact_id(),
  -- Fold reads in this order: neither a bulk nor a backfill stands before a fresh lead.
  primary key (lane, id)
);

comment on table mautic.lead_change is
  'Log of lead writes that Mautic has to hear of; emptied by mautic.fold().';
comment on column mautic.lead_change.lead_ids is
  'One source''s, of one statement, changed alike. A row for each would cost a bulk twice as much as the trigger does otherwise.';
comment on column mautic.lead_change.lane is 'As far as was known when it was written; the fold moves rows of a transaction that proved bulk later.';
comment on column mautic.lead_change.changed_at is
  'When the lead changed. A replay is no change: fold gives it the time of the last one, where that is known. Else '
  'this counts, the lead''s own, so that among leads of one person the newest still wins.';
comment on column mautic.lead_change.queued_at is 'Of a replay: when it was asked for. null: changed_at says it.';
comment on column mautic.lead_change.removal is
  'Of a deleted lead: what becomes of its contact, as the setting on_lead_delete was then. null: it is kept.';
comment on column mautic.lead_change.force is 'Send all fields, even those Mautic confirmed already.';

alter table mautic.lead_change enable row level security;
comment on column mautic.lead_change.correlation_id is 'null: tx- and xid.';
comment on column mautic.lead_change.column_set is 'Of an update: the columns that are read. null: any may have changed.';
comment on column mautic.lead_change.changed is
  'Of an update: which of the column set changed, a bit for each, 63 to a number. Their names would cost a bulk update a third of its time.';

comment on column mautic.lead_change.times is 'Of several leads: when each of them changed. The rows of one statement came in an order.';
comment on column mautic.lead_change.chosen is 'Somebody named this very lead: it goes out although its table is not live, or was there before us.';
comment on column mautic.lead_change.fill is 'As in mautic.outbox.';
comment on column mautic.lead_change.xid is 'The transaction that wrote it.';

create view mautic.logged_lead with (security_invoker = true) as
select
  c.lane, c.id, l.lead_id, c.cause, c.force, coalesce(c.correlation_id, 'tx-' || c.xid) as correlation_id,
  coalesce(l.changed_at, c.changed_at) as changed_at, c.queued_at,
  c.removal, c.column_set, c.changed, c.chosen, c.fill, c.xid
from mautic.lead_change c
cross join lateral unnest(c.lead_ids, c.times) l(lead_id, changed_at);

comment on view mautic.logged_lead is 'Each lead of each row of the log.';

-- Transactions of many single statements, in which it showed only later that they are bulk.
create table mautic.bulk_transaction (
  xid xid8 primary key,
  noted_at timestamptz not null default mautic.clock()
);

comment on table mautic.bulk_transaction is 'Transactions that logged more than bulk_rows rows, not all of them in lane bulk. Purged after a day.';

alter table mautic.bulk_transaction enable row level security;

create table mautic.column_set (
  id int generated always as identity primary key,
  columns name[] not null unique
);

comment on table mautic.column_set is 'Columns in the order in which mautic.lead_change.changed tells of them.';

alter table mautic.column_set enable row level security;

create function mautic.column_set_of(p_columns name[])
returns int
language plpgsql
volatile
set search_path = ''
as $$
begin
  insert into mautic.column_set (columns) values (p_columns) on conflict do nothing;
  return (select s.id from mautic.column_set s where s.columns = p_columns);
end
$$;

comment on function mautic.column_set_of(name[]) is 'The id of these columns in this order.';

create function mautic.changed_sql(p_changes text[])
returns text
language sql
immutable
set search_path = ''
as $$
  select format('array[%s]::bigint[]', string_agg(n.bits, ', ' order by n.number))
  from (
    select (c.place - 1) / 63 as number, string_agg(
      format('case when %s then %s::bigint else 0 end', c.is_changed, 1::bigint << ((c.place - 1) % 63)::int), ' | ' order by c.place) as bits
    from unnest(p_changes) with ordinality c(is_changed, place)
    group by 1
  ) n
$$;

comment on function mautic.changed_sql(text[]) is 'SQL for mautic.lead_change.changed, of one condition for each column of the set.';

create function mautic.columns_changed(p_column_set int, p_changed bigint[])
returns setof name
language sql
stable
set search_path = ''
as $$
  select c.name
  from mautic.column_set s, unnest(s.columns) with ordinality c(name, place)
  where s.id = p_column_set and p_changed[(c.place - 1) / 63 + 1] >> ((c.place - 1) % 63)::int & 1 = 1
$$;

comment on function mautic.columns_changed(int, bigint[]) is 'The columns that a row of the log names.';

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
