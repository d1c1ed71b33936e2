-- What became of one leased item, as the worker tells it.
create type mautic.outcome as (
  lead_id text,
  result text,
  action text,
  enrollment text,
  contact_id bigint,
  address text,
  lead_address text,
  snapshot jsonb,
  refused jsonb,
  do_not_contact jsonb,
  filled text[],
  shows_lead boolean,
  changed_at timestamptz,
  asked_contact_id bigint,
  removed_contact_ids bigint[],
  delay_ms bigint,
  failed_alone boolean,
  may_be_done boolean,
  error_code text,
  error_message text,
  error_remedy text
);

comment on type mautic.outcome is
  'What became of a leased item. action, enrollment: as in mautic.sync_history. contact_id to filled: what Mautic''s answer showed of the contact; address is the '
  'contact''s, lead_address the one that the lead was sent with; shows_lead: the answer shows this very lead; '
  'asked_contact_id: the id that was asked for, when another one came back. delay_ms: of retry, postponed and ambiguous.';
