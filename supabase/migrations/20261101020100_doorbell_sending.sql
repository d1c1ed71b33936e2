-- Whether anything is sent just now: the operator's switch, and the circuit breaker. One row, in
-- Postgres, so that all workers share it. While nothing is sent rows go on queueing; claims hand
-- out nothing, so no attempt is spent; no bell rings, so no function is invoked for nothing.
-- What opens and closes the circuit: migration "worker_circuit"; the switch: "operate_pause".

create table mautic.sending (
  one boolean primary key default true check (one),
  paused_at timestamptz,
  pause_reason text,
  origin text,
  halts int not null default 0,
  halt_code text,
  opened_at timestamptz,
  probes int not null default 0,
  probe_at timestamptz,
  prober uuid,
  prober_until timestamptz,
  batch_size int,
  check ((opened_at is null) = (probe_at is null))
);

comment on table mautic.sending is 'The one row that says whether anything is sent: pause and circuit breaker.';
comment on column mautic.sending.origin is 'The Mautic that the circuit is about; another one starts with a closed circuit.';
comment on column mautic.sending.halts is 'Runs in a row that ended because Mautic was down, slow beyond the time limit, or refused us.';
comment on column mautic.sending.opened_at is 'Since when only probes are sent; null: the circuit is closed.';
comment on column mautic.sending.probe_at is 'From then on one worker may claim a small batch as a probe.';
comment on column mautic.sending.prober is 'The worker that probes; nobody else may until prober_until.';
comment on column mautic.sending.batch_size is
  'Leads in a request, as Mautic coped with them last: the next worker begins there. null: not known.';

alter table mautic.sending enable row level security;

insert into mautic.sending default values;

-- Where this database sends to, and whether somebody said that it may: seeds, previews, clones and restored backups
-- hold the same leads as the project they were made from. A project is told from its copy by the function's own
-- address, which no copy of the database brings along.
create table mautic.deployment (
  project text not null,
  origin text not null,
  seen_at timestamptz not null default mautic.clock(),
  live_at timestamptz,
  primary key (project, origin)
);

comment on table mautic.deployment is 'Each pair of project and Mautic whose function asked for leads; live_at: since when it gets any (mautic.go_live).';
comment on column mautic.deployment.seen_at is 'When it asked last, to the minute.';
comment on column mautic.deployment.project is 'By the address under which the function finds this database: the project''s reference on Supabase, else host and port.';

alter table mautic.deployment enable row level security;

create function mautic.is_live(p_project text, p_origin text)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  asked mautic.deployment;
begin
  select * into asked from mautic.deployment d where d.project = p_project and d.origin = p_origin;
  if asked.project is null then
    insert into mautic.deployment (project, origin) values (p_project, p_origin) on conflict do nothing;
  elsif asked.seen_at < mautic.clock() - interval '1 minute' then
    update mautic.deployment d set seen_at = mautic.clock() where d.project = p_project and d.origin = p_origin;
  end if;
  return asked.live_at is not null;
end
$$;

comment on function mautic.is_live(text, text) is 'May this project send to this Mautic? Remembers that it asked.';

-- paused and open: claims hand out nothing. probe: one caller may try.
create function mautic.sending_state(p_origin text default null, p_project text default null)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  s mautic.sending;
begin
  select * into s from mautic.sending;
  return case
    when s.paused_at is not null then 'paused'
    when p_project is not null and not mautic.is_live(p_project, p_origin) then 'not_live'
    when s.opened_at is null or s.origin is distinct from coalesce(p_origin, s.origin) then 'closed'
    when s.probe_at > mautic.clock() or s.prober_until > mautic.clock() then 'open'
    else 'probe'
  end;
end
$$;

comment on function mautic.sending_state(text, text) is
  'closed: all is sent. probe: a small batch may be tried. open: Mautic is in trouble, nothing is sent until the next '
  'probe. paused: by mautic.pause(). not_live: p_project was given, and nobody said mautic.go_live() for it.';
