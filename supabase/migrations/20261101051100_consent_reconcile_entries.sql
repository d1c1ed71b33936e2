-- Reconciliation: Mautic's do-not-contact rows, read and asserted.

create function mautic.record_do_not_contact(
  p_origin text, p_entries jsonb, p_after_id bigint, p_upto_id bigint, p_correlation_id text
)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
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
    set scanned_upto = coalesce(
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

  ids := mautic.store_entry_events(p_origin, dirty, p_correlation_id);
  changed := mautic.try_events(ids, true);
  return jsonb_build_object(
    'recorded', coalesce(cardinality(dirty), 0), 'forgotten', forgotten, 'changed_leads', changed);
end
$$;

comment on function mautic.record_do_not_contact(text, jsonb, bigint, bigint, text) is
  'Takes a page of do-not-contact rows [{id, contact_id, channel, kind, detail, added_at}] and applies the new ones. '
  'With p_after_id the page is a stretch of the whole table (to p_upto_id, null: to its end): known rows missing in '
  'it are forgotten. Returns {recorded, forgotten, changed_leads}.';

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

-- The other way round: Mautic has a row and the lead's does not say so, because it was deleted and
-- inserted again, another contact's event reached it, or somebody wrote another status: Mautic mails
-- by its row, whatever we show. A page at a time: the Data API gives a call eight seconds.
create function mautic.assert_do_not_contact(p_origin text, p_after_id bigint, p_limit int, p_correlation_id text)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
-- Why: migration "outbox_queue", at its indexes.
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
        when 'manual' then mautic.is_mailable(l.email_status)
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
