-- Lost webhooks heal: mautic-sync (reconcile_consent) reads Mautic's do-not-contact table and brings
-- what it finds through the same rules. Mautic answers an opt-out with a row, and its removal with
-- nothing at all: removals are found by what we know and Mautic no longer has.

create table mautic.do_not_contact (
  origin text not null,
  entry_id bigint not null,
  contact_id bigint not null,
  channel text not null,
  kind text check (kind in ('unsubscribed', 'bounced', 'complained', 'manual')),
  detail jsonb not null default '{}',
  added_at timestamptz not null,
  primary key (origin, entry_id)
);

create index do_not_contact_by_contact on mautic.do_not_contact (origin, contact_id);
create index do_not_contact_by_age on mautic.do_not_contact (origin, added_at);

comment on table mautic.do_not_contact is 'Mautic''s do-not-contact rows as last read, of all channels and contacts.';
comment on column mautic.do_not_contact.kind is 'What it means for email_status; null for other channels and for our own marked entry.';

create table mautic.reconcile_cursor (
  origin text primary key,
  since timestamptz,
  swept_upto bigint,
  swept_since timestamptz,
  linked_upto bigint not null default 0,
  leased_until timestamptz,
  started_at timestamptz,
  finished_at timestamptz
);

comment on table mautic.reconcile_cursor is 'How far do-not-contact was read, by Mautic''s clock. Delete the row to read it all again.';
comment on column mautic.reconcile_cursor.since is 'date_added of the newest row known when a run last got to its end; null: it never did.';
comment on column mautic.reconcile_cursor.swept_upto is 'Entry id up to which the table was read from its beginning; null: no reading is under way.';
comment on column mautic.reconcile_cursor.swept_since is 'When that reading began: what changed since may be behind it.';
comment on column mautic.reconcile_cursor.linked_upto is 'Contact id up to which linked contacts were looked for in Mautic, in turns.';
comment on column mautic.reconcile_cursor.finished_at is 'When a run last got to its end.';

alter table mautic.do_not_contact enable row level security;
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
  insert into mautic.reconcile_cursor as c (origin, leased_until, started_at, swept_since)
  values (p_origin, mautic.clock() + p_lease_ms * interval '1 millisecond', mautic.clock(), mautic.clock())
  on conflict (origin) do update
  set
    leased_until = excluded.leased_until, started_at = excluded.started_at,
    swept_since = case when c.swept_upto is null then excluded.swept_since else c.swept_since end
  where c.leased_until is null or c.leased_until <= mautic.clock()
  returning * into cursor_row;
  if not found then
    return jsonb_build_object('state', 'busy');
  end if;
  return jsonb_build_object(
    'state', 'started', 'since', cursor_row.since, 'swept_upto', cursor_row.swept_upto);
end
$$;

comment on function mautic.start_reconcile(text, int) is
  '{state: started, since} or {state: busy} while another run holds the lease of p_lease_ms.';

create function mautic.record_do_not_contact(
  p_origin text, p_entries jsonb, p_after_id bigint, p_upto_id bigint, p_correlation_id text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  dirty bigint[];
  ids bigint[];
  forgotten int := 0;
  changed int;
begin
  -- A page of the whole table: what we know between its bounds and is not on it is gone.
  if p_after_id is not null then
    delete from mautic.do_not_contact d
    where d.origin = p_origin and d.entry_id > p_after_id and (p_upto_id is null or d.entry_id <= p_upto_id)
      and d.entry_id <> all (array(select e.id from jsonb_to_recordset(p_entries) as e(id bigint)));
    get diagnostics forgotten = row_count;
    update mautic.reconcile_cursor c
    set swept_upto = coalesce(
      p_upto_id, (select max(e.id) from jsonb_to_recordset(p_entries) as e(id bigint)), p_after_id)
    where c.origin = p_origin;
  end if;

  with recorded as (
    insert into mautic.do_not_contact as d (origin, entry_id, contact_id, channel, kind, detail, added_at)
    select distinct on (e.id) p_origin, e.id, e.contact_id, e.channel, e.kind, coalesce(e.detail, '{}'), e.added_at
    from jsonb_to_recordset(p_entries) as e(
      id bigint, contact_id bigint, channel text, kind text, detail jsonb, added_at timestamptz)
    order by e.id
    on conflict (origin, entry_id) do update
    set
      contact_id = excluded.contact_id, channel = excluded.channel, kind = excluded.kind,
      detail = excluded.detail, added_at = excluded.added_at
    where (d.contact_id, d.channel, d.kind, d.added_at)
      is distinct from (excluded.contact_id, excluded.channel, excluded.kind, excluded.added_at)
    returning d.entry_id
  )
  select array_agg(r.entry_id) into dirty from recorded r;

  ids := mautic.note_entries(p_origin, dirty, p_correlation_id);
  changed := mautic.try_events(ids, true);
  return jsonb_build_object(
    'recorded', coalesce(cardinality(dirty), 0), 'forgotten', forgotten, 'changed_leads', changed);
end
$$;

comment on function mautic.record_do_not_contact(text, jsonb, bigint, bigint, text) is
  'Takes a page of do-not-contact rows [{id, contact_id, channel, kind, detail, added_at}] and applies the new ones. '
  'With p_after_id the page is a stretch of the whole table (to p_upto_id, null: to its end): known rows missing in '
  'it are forgotten. Returns {recorded, forgotten, changed_leads}.';

-- Entries of contacts that are nobody's lead make no event: the link will look here (note_link).
create function mautic.note_entries(p_origin text, p_entry_ids bigint[], p_correlation_id text)
returns bigint[]
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  ids bigint[];
begin
  with noted as (
    insert into mautic.webhook_event
      (event_key, source, origin, contact_id, kind, occurred_at, detail, correlation_id)
    select
      mautic.event_key(d.origin, d.contact_id, null, d.kind, d.added_at),
      'reconcile', d.origin, d.contact_id, d.kind, d.added_at, d.detail || jsonb_build_object('entry_id', d.entry_id),
      p_correlation_id
    from mautic.do_not_contact d
    where d.origin = p_origin and d.entry_id = any (p_entry_ids) and d.kind is not null
      and exists (
        select from mautic.contact_link k where k.origin = d.origin and k.contact_id = d.contact_id)
    on conflict (event_key) do nothing
    returning id
  )
  select array_agg(n.id) into ids from noted n;
  return ids;
end
$$;

-- Do not contact on our side, no row in Mautic: maybe lifted while nobody told us.
create function mautic.contacts_to_check(p_origin text, p_after_id bigint, p_limit int)
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  -- Materialised: planned as one, Postgres reads each lead by itself before it asks whether a row is there.
  with lost as materialized (
    select s.lead_id, s.contact_id, greatest(s.status_at, s.manual_at) as state_at, mautic.email_status_of(s) as status
    from mautic.subscription s
    where s.origin = p_origin
      and s.contact_id > p_after_id
      and s.gone_at is null
      and mautic.email_status_of(s) in ('unsubscribed', 'bounced')
      and greatest(s.status_at, s.manual_at) > '-infinity'
      and not exists (
        select from mautic.do_not_contact d
        where d.origin = s.origin and d.contact_id = s.contact_id and d.kind is not null)
  )
  select coalesce(jsonb_agg(jsonb_build_object(
    'contact_id', c.contact_id, 'state_at', c.state_at, 'bounced', c.bounced) order by c.contact_id), '[]')
  from (
    select w.contact_id, max(w.state_at) as state_at, bool_or(w.status = 'bounced') as bounced
    from lost w
    -- A status that somebody else wrote is not Mautic's to lift.
    join mautic.read_leads(array(select o.lead_id from lost o)) l on l.lead_id = w.lead_id and l.email_status = w.status
    group by w.contact_id
    order by w.contact_id
    limit p_limit
  ) c;
$$;

comment on function mautic.contacts_to_check(text, bigint, int) is
  'Contacts behind an unsubscribed or bounced status that have no row in Mautic''s table: [{contact_id, state_at, bounced}]. '
  'They have to be read, then told to settle_check.';

create function mautic.settle_check(p_origin text, p_checked jsonb, p_correlation_id text)
returns int
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  ids bigint[];
begin
  update mautic.subscription s
  set gone_at = mautic.clock()
  from jsonb_to_recordset(p_checked) as c(contact_id bigint, result text)
  where s.origin = p_origin and s.contact_id = c.contact_id and c.result = 'gone';

  -- Mautic does not say when it was lifted. One second after the state that it ends: newer than
  -- that, and older than any opt-out that reached us while the contact was being read.
  with noted as (
    insert into mautic.webhook_event
      (event_key, source, origin, contact_id, address, kind, occurred_at, detail, correlation_id)
    select
      mautic.event_key(p_origin, c.contact_id, null, 'subscribed', c.state_at + interval '1 second'),
      -- The address for leads that are not linked to it: matched as the opt-out was.
      'reconcile', p_origin, c.contact_id, nullif(mautic.normalize_address(c.address), ''), 'subscribed',
      c.state_at + interval '1 second', '{}', p_correlation_id
    from jsonb_to_recordset(p_checked) as c(contact_id bigint, address text, result text, state_at timestamptz)
    where c.result = 'lifted'
    on conflict (event_key) do update set state = 'stored'
    returning id
  )
  select array_agg(n.id) into ids from noted n;
  return mautic.try_events(ids, true);
end
$$;

comment on function mautic.settle_check(text, jsonb, text) is
  'What reading contacts showed: [{contact_id, state_at, address, result: lifted|gone}]. lifted: no entry, the status ends. '
  'gone: deleted or merged away, the status stays and is not checked again. Returns how many leads changed.';

-- The other way round: Mautic has a row and the lead's does not say so, because it was deleted and
-- inserted again, another contact's event reached it, or somebody wrote another status: Mautic mails
-- by its row, whatever we show. A page at a time: the Data API gives a call eight seconds.
create function mautic.assert_do_not_contact(p_origin text, p_after_id bigint, p_limit int, p_correlation_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox", at its indexes.
set enable_seqscan = off
set jit = off
as $$
declare
  page bigint[];
  ids bigint[];
begin
  page := array(
    select d.entry_id
    from mautic.do_not_contact d
    where d.origin = p_origin and d.entry_id > p_after_id
    order by d.entry_id
    limit p_limit);

  with standing as (
    select d.contact_id, d.kind, d.detail, d.added_at, k.lead_id
    from mautic.do_not_contact d
    join mautic.contact_link k on k.origin = d.origin and k.contact_id = d.contact_id and k.left_at is null
    where d.origin = p_origin and d.entry_id = any (page) and d.kind is not null
      -- Told to be lifted since the rows were counted: the next run will not find it any more.
      and not exists (
        select from mautic.webhook_event e
        where e.origin = d.origin and e.contact_id = d.contact_id and e.kind = 'subscribed'
          and e.applied_at >= (select c.started_at from mautic.reconcile_cursor c where c.origin = p_origin))
  ), disagreeing as (
    select
      t.contact_id, t.kind, t.detail,
      -- Newer than what the row goes by.
      greatest(
        t.added_at, max(s.status_at) + interval '1 second', max(s.manual_at) + interval '1 second',
        max(mautic.clock()) filter (where mautic.email_status_of(s) is distinct from l.email_status)) as at
    from standing t
    join mautic.read_leads(array(select distinct lead_id from standing)) l on l.lead_id = t.lead_id
    left join mautic.subscription s on s.lead_id = t.lead_id and s.status_at > '-infinity'
    where coalesce(l.email_status, 'subscribed') <> 'complained'
      and case t.kind
        when 'manual' then coalesce(l.email_status, 'subscribed') = 'subscribed'
        else l.email_status is distinct from t.kind
      end
    group by t.contact_id, t.kind, t.detail, t.added_at
  ), noted as (
    insert into mautic.webhook_event
      (event_key, source, origin, contact_id, kind, occurred_at, detail, correlation_id)
    select
      mautic.event_key(p_origin, d.contact_id, null, d.kind, d.at),
      'reconcile', p_origin, d.contact_id, d.kind, d.at, d.detail, p_correlation_id
    from disagreeing d
    on conflict (event_key) do update set state = 'stored'
    returning id
  )
  select array_agg(n.id) into ids from noted n;
  return jsonb_build_object(
    'changed_leads', mautic.try_events(ids, true),
    'upto_id', case when cardinality(page) = p_limit then page[p_limit] end);
end
$$;

comment on function mautic.assert_do_not_contact(text, bigint, int, text) is
  'Applies Mautic''s do-not-contact rows to linked leads whose email_status does not agree: up to p_limit rows whose '
  'entry_id is above p_after_id. Returns {changed_leads, upto_id}; upto_id is null after the last page.';

-- Mautic drops the do-not-contact rows of a merged-away contact, and answers with the survivor where its
-- id is asked for. So some linked contacts are looked for in every run, in turns.
create function mautic.links_to_check(p_origin text, p_limit int)
returns jsonb
language sql
volatile
security definer
set search_path = ''
as $$
  select coalesce(jsonb_agg(c.contact_id order by c.contact_id), '[]')
  from (
    select distinct k.contact_id
    from mautic.contact_link k
    where k.origin = p_origin and k.left_at is null
      and k.contact_id > coalesce((select r.linked_upto from mautic.reconcile_cursor r where r.origin = p_origin), 0)
    order by k.contact_id
    limit p_limit
  ) c;
$$;

comment on function mautic.links_to_check(text, int) is
  'The next p_limit contacts that leads are linked to, by ascending id; fewer at the end of a turn. Then tell settle_links.';

create function mautic.settle_links(p_origin text, p_upto_id bigint, p_merged jsonb)
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  merged record;
  newest record;
begin
  for merged in
    select * from jsonb_to_recordset(p_merged) as m(loser bigint, survivor bigint, address text) order by m.survivor, m.loser
  loop
    insert into mautic.contact as c (origin, contact_id, address)
    values (p_origin, merged.survivor, mautic.normalize_address(merged.address))
    -- It may show values of either.
    on conflict (origin, contact_id) do update set snapshot = '{}', refused = '{}', lead_id = null, lead_changed_at = null;
    perform mautic.merge_contact(p_origin, merged.loser, merged.survivor);

    select k.lead_id, k.changed_at into newest
    from mautic.contact_link k
    join mautic.read_leads(array(
      select l.lead_id from mautic.contact_link l where l.origin = p_origin and l.contact_id = merged.survivor
    )) live on live.lead_id = k.lead_id
    where k.origin = p_origin and k.contact_id = merged.survivor
      and not exists (select from mautic.outbox o where o.lead_id = k.lead_id and o.state = 'dead')
    order by k.changed_at desc nulls last, k.lead_id
    limit 1;
    if found then
      update mautic.contact c
      set lead_id = newest.lead_id, lead_changed_at = newest.changed_at
      where c.origin = p_origin and c.contact_id = merged.survivor;
      perform mautic.queue_replay(array[newest.lead_id], false, mautic.correlation_id());
    end if;
  end loop;
  update mautic.reconcile_cursor set linked_upto = p_upto_id where origin = p_origin;
end
$$;

comment on function mautic.settle_links(text, bigint, jsonb) is
  'What looking for linked contacts showed: [{loser, survivor, address}], address the survivor''s. Their leads are one contact '
  'from then on, and the newest of them is queued. The next run goes on behind p_upto_id; 0: a new turn begins.';

create function mautic.finish_reconcile(p_origin text)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.reconcile_cursor
  set
    since = least((select max(d.added_at) from mautic.do_not_contact d where d.origin = p_origin), swept_since),
    swept_upto = null,
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

create function mautic.known_do_not_contact(p_origin text)
returns bigint
language sql
volatile
security definer
set search_path = ''
as $$
  select count(*) from mautic.do_not_contact d where d.origin = p_origin;
$$;

comment on function mautic.known_do_not_contact(text) is 'How many do-not-contact rows are known; another number than Mautic''s means some vanished.';

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
