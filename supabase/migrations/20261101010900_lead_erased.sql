-- Leads that are not to come back.

-- A worker that wakes up late must not bring back what was erased.
create table mautic.erased (
  lead_hash bytea primary key,
  erased_at timestamptz not null default mautic.clock()
);

comment on table mautic.erased is
  'Leads that mautic.erase() removed, as SHA-256 of their id: their late answers are not recorded. Purged after a day.';

alter table mautic.erased enable row level security;
