-- Reconciliation: contacts whose row has vanished from Mautic.

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
-- Why: migration "outbox_queue", at its indexes.
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
