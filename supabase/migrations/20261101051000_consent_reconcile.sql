-- Lost webhooks heal: mautic-sync (reconcile_consent) reads Mautic's do-not-contact table and brings
-- what it finds through the same rules. Mautic answers an opt-out with a row, and its removal with
-- nothing at all: removals are found by what we know and Mautic no longer has.

create table mautic.reconcile_cursor (
  origin text primary key,
  since timestamptz,
  scanned_upto bigint,
  scanning_since timestamptz,
  linked_upto bigint not null default 0,
  leased_until timestamptz,
  started_at timestamptz,
  finished_at timestamptz
);

comment on table mautic.reconcile_cursor is 'How far do-not-contact was read, by Mautic''s clock. Delete the row to read it all again.';
comment on column mautic.reconcile_cursor.since is 'date_added of the newest row known when a run last got to its end; null: it never did.';
comment on column mautic.reconcile_cursor.scanned_upto is 'Entry id up to which the table was read from its beginning; null: no reading is under way.';
comment on column mautic.reconcile_cursor.scanning_since is 'When that reading began: what changed since may be behind it.';
comment on column mautic.reconcile_cursor.linked_upto is 'Contact id up to which linked contacts were looked for in Mautic, in turns.';
comment on column mautic.reconcile_cursor.finished_at is 'When a run last got to its end.';

alter table mautic.reconcile_cursor enable row level security;

create function mautic.start_reconcile(p_origin text, p_lease_ms int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  cursor_row mautic.reconcile_cursor;
begin
  insert into mautic.reconcile_cursor as c (origin, leased_until, started_at, scanning_since)
  values (p_origin, mautic.clock() + p_lease_ms * interval '1 millisecond', mautic.clock(), mautic.clock())
  on conflict (origin) do update
  set
    leased_until = excluded.leased_until, started_at = excluded.started_at,
    scanning_since = case when c.scanned_upto is null then excluded.scanning_since else c.scanning_since end
  where c.leased_until is null or c.leased_until <= mautic.clock()
  returning * into cursor_row;
  if not found then
    return jsonb_build_object('state', 'busy');
  end if;
  return jsonb_build_object(
    'state', 'started', 'since', cursor_row.since, 'scanned_upto', cursor_row.scanned_upto);
end
$$;

comment on function mautic.start_reconcile(text, int) is
  '{state: started, since} or {state: busy} while another run holds the lease of p_lease_ms.';

create function mautic.finish_reconcile(p_origin text)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.reconcile_cursor
  set
    since = least((select max(d.added_at) from mautic.do_not_contact d where d.origin = p_origin), scanning_since),
    scanned_upto = null,
    leased_until = null,
    finished_at = mautic.clock()
  where origin = p_origin;
$$;

comment on function mautic.finish_reconcile(text) is 'Moves the cursor to the newest row known and gives the lease back.';

create function mautic.abandon_reconcile(p_origin text)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.reconcile_cursor set leased_until = null where origin = p_origin;
$$;

comment on function mautic.abandon_reconcile(text) is 'Gives the lease back after a failure; the cursor stays where it was.';

-- Rung by cron.
create function mautic.ring_reconcile()
returns text
language sql
volatile
security definer
set search_path = ''
as $$
  select mautic.ring_for('reconcile_consent', 'reconcile-' || gen_random_uuid());
$$;

comment on function mautic.ring_reconcile() is 'Asks mautic-sync to compare do-not-contact with Mautic. Returns as ring_for().';
