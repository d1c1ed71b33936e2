-- The inbox: what Mautic's webhooks brought, raw body first. Mautic 5 tells of an event once and
-- never again, so what was received is kept before anything is made of it.

create table mautic.webhook_delivery (
  id bigint generated always as identity primary key,
  content_hash bytea not null unique,
  body text not null,
  origin text,
  is_test boolean not null,
  correlation_id text not null,
  received_at timestamptz not null default mautic.clock(),
  times_received int not null default 1,
  last_received_at timestamptz not null default mautic.clock(),
  unread boolean not null default false,
  error text
);

create index webhook_delivery_unread on mautic.webhook_delivery (id) where unread;

create index webhook_delivery_by_age on mautic.webhook_delivery (last_received_at);

comment on table mautic.webhook_delivery is
  'Every authentic webhook request, once for each content. Purged after the setting webhook_days.';
comment on column mautic.webhook_delivery.body is
  'The body as it came. Text, not jsonb: jsonb refuses \u0000 and forgets duplicate keys.';
comment on column mautic.webhook_delivery.origin is 'The Mautic it is attributed to; its contact ids mean nothing elsewhere.';
comment on column mautic.webhook_delivery.is_test is
  'Mautic''s test button (a top-level timestamp): invented contacts with ids that may exist. Never applied.';
comment on column mautic.webhook_delivery.unread is 'mautic-sync reads the body again in its next reconcile_consent (see replay_webhook).';
comment on column mautic.webhook_delivery.error is 'Why its events could not be stored; replay_webhook has it read again.';

alter table mautic.webhook_delivery enable row level security;

create table mautic.webhook_event (
  id bigint generated always as identity primary key,
  -- Null: learned by the reconciliation, or the delivery was purged before the person appeared.
  delivery_id bigint references mautic.webhook_delivery on delete set null,
  event_key text not null unique,
  source text not null check (source in ('webhook', 'reconcile')),
  origin text,
  contact_id bigint,
  address text,
  kind text not null check (kind in ('subscribed', 'unsubscribed', 'bounced', 'complained', 'manual')),
  occurred_at timestamptz not null,
  detail jsonb not null default '{}',
  correlation_id text not null,
  state text not null default 'stored' check (state in ('stored', 'pending', 'applied', 'failed')),
  changed_leads int not null default 0,
  error text,
  applied_at timestamptz,
  check (contact_id is not null or address is not null)
);

create index webhook_event_by_delivery on mautic.webhook_event (delivery_id);

create index webhook_event_by_contact on mautic.webhook_event (contact_id, origin);

create index webhook_event_stored on mautic.webhook_event (id) where state = 'stored';

create index webhook_event_pending on mautic.webhook_event (address) where state = 'pending';

create index webhook_event_failed on mautic.webhook_event (id) where state = 'failed';

comment on table mautic.webhook_event is
  'What deliveries and the reconciliation say about the e-mail channel of a person.';
comment on column mautic.webhook_event.event_key is
  'Content of the event: the same event in another delivery (overlapping crons, two webhooks) is one event. '
  'An event without a timestamp is one of its own each time it comes.';
comment on column mautic.webhook_event.kind is
  'The new status; manual is Mautic''s reason 3, set by staff, and reads as unsubscribed.';
comment on column mautic.webhook_event.occurred_at is 'By Mautic''s clock; the time of receipt where Mautic names none.';
comment on column mautic.webhook_event.state is
  'stored: to be applied. pending: the person is not among the leads yet. applied. failed: see error, then replay_webhook.';
comment on column mautic.webhook_event.changed_leads is 'How many leads it gave another status.';

alter table mautic.webhook_event enable row level security;

-- Webhooks and reconciliation name one event alike. p_place: only of an event without a time.
create function mautic.event_key(
  p_origin text, p_contact_id bigint, p_address text, p_kind text, p_occurred_at timestamptz, p_place bigint default null
)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select md5(jsonb_build_array(
    p_origin, p_contact_id, p_address, p_kind, extract(epoch from p_occurred_at), p_place)::text);
$$;
