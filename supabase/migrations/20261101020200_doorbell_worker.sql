-- Who is there to hear the bell, and the advisory locks of this schema. How a worker starts, renews
-- and leaves: migration "worker_lease".

create table mautic.worker (
  id uuid primary key,
  lease_expires_at timestamptz not null,
  started_at timestamptz not null default mautic.clock()
);

comment on table mautic.worker is 'Workers that drain the outbox now. A lease past its expiry is a dead worker.';

alter table mautic.worker enable row level security;

create function mautic.doorbell_lock() returns bigint language sql immutable as 'select 4707216361001';

comment on function mautic.doorbell_lock() is
  'Advisory lock key: shared by writers from their look to their commit, exclusive by a leaving worker.';

create function mautic.claim_lock() returns bigint language sql immutable as 'select 4707216361002';

comment on function mautic.claim_lock() is 'Advisory lock key: claims and worker starts are serialised under it.';

-- Not the claim lock: a claim holds that while it waits for a table, which whoever attaches may have altered.
create function mautic.shape_lock() returns bigint language sql immutable as 'select 4707216361003';

comment on function mautic.shape_lock() is
  'Advisory lock key: whoever changes how tables are attached, mapped or watched does so alone, because all sources share readers.';
