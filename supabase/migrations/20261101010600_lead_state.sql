-- What is known of each lead without looking at its row. Written when a change of it is folded into the
-- outbox; of rows that were there before, by cron, in pages (migration "outbox_known_leads").

create table mautic.lead_state (
  lead_id text,
  source text not null,
  address text,
  stage text,
  consent boolean,
  changed_at timestamptz,
  digest bigint,
  times jsonb not null default '{}',
  known_since timestamptz,
  gone_at timestamptz,
  read_at timestamptz not null default mautic.clock(),
  email_status text,
  email_status_changed_at timestamptz,
  -- A comparison reads the index alone.
  primary key (lead_id) include (digest)
);

create index lead_state_by_address on mautic.lead_state (address) where address is not null;

create index lead_state_without_address on mautic.lead_state (source) where address is null and gone_at is null;

create index lead_state_known on mautic.lead_state (source) where known_since is not null and gone_at is null;

comment on table mautic.lead_state is 'Each lead as it was read last: by it leads are found by address, without an index of ours on the application''s table.';
comment on column mautic.lead_state.address is 'As addresses are compared; null: it has none, or none that can be read.';
comment on column mautic.lead_state.changed_at is 'By the table''s own columns.';
comment on column mautic.lead_state.digest is 'Of all columns that are read: another one means a change that came past the triggers.';
comment on column mautic.lead_state.times is 'Column to the time of its last change that a trigger saw.';
comment on column mautic.lead_state.known_since is
  'It was there before its table was attached and nobody has sent it: neither a bulk change nor a comparison does, a single '
  'edit, a withdrawal of consent and a confirmed replay do.';
comment on column mautic.lead_state.gone_at is
  'Of a known lead: since when its row is gone, or deleted softly. Loaded anew in a bulk it is known still; of others nothing is kept.';
comment on column mautic.lead_state.email_status is
  'What Mautic knows of the address: null or subscribed (mailable), unsubscribed, bounced, complained. Of a source with a '
  'status column that column shows it.';
comment on column mautic.lead_state.email_status_changed_at is 'When the event behind email_status happened, by Mautic''s clock.';

alter table mautic.lead_state enable row level security;

create table mautic.stage_change (
  id bigint generated always as identity primary key,
  lead_id text not null,
  from_stage text,
  to_stage text,
  changed_at timestamptz not null
);

create index stage_change_by_lead on mautic.stage_change (lead_id, id);

comment on table mautic.stage_change is 'The stages that leads went through, as far as triggers or a comparison saw them.';
comment on column mautic.stage_change.from_stage is 'null: none, or a new lead.';

alter table mautic.stage_change enable row level security;
