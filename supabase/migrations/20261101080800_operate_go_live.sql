-- Nothing leaves before somebody says so: once for each project and Mautic. Until then all is queued or known.

create function mautic.go_live(project text default null, origin text default null)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  meant mautic.deployment;
  known int;
  list text;
begin
  if go_live.project is null or go_live.origin is null then
    select count(*), string_agg(
      format('select mautic.go_live(%L, %L);', d.project, d.origin) || case when d.live_at is null then '' else ' -- it is live' end,
      E'\n' order by d.seen_at desc)
    into known, list
    from mautic.deployment d
    where d.project = coalesce(go_live.project, d.project) and d.origin = coalesce(go_live.origin, d.origin);
    if known = 0 then
      raise exception 'No function has asked for leads yet, so it is not known for which Mautic. Ring it (select '
        'mautic.ring(''go-live'');) and say it again, or name both: mautic.go_live(''<project>'', ''<address of Mautic>'')'
        using errcode = 'object_not_in_prerequisite_state';
    elsif known > 1 then
      raise exception E'Several functions have asked for leads. Say which one may send, the one that asked last is the first:\n%', list
        using errcode = 'ambiguous_parameter';
    end if;
    select d.* into meant
    from mautic.deployment d
    where d.project = coalesce(go_live.project, d.project) and d.origin = coalesce(go_live.origin, d.origin);
  else
    meant.project := go_live.project;
    meant.origin := go_live.origin;
  end if;
  insert into mautic.deployment as d (project, origin, live_at)
  values (meant.project, meant.origin, mautic.clock())
  on conflict on constraint deployment_pkey do update
  set live_at = coalesce(d.live_at, excluded.live_at), seen_at = excluded.seen_at;
  return format('%s sends to %s: %s leads are queued, %s are known and wait for a confirmed replay, %s', meant.project, meant.origin,
    (select count(*) from mautic.outbox) + (select count(distinct c.lead_id) from mautic.logged_lead c),
    (select count(*) from mautic.lead_state s where s.known_since is not null and s.gone_at is null),
    mautic.ring('go-live-' || gen_random_uuid()));
end
$$;

comment on function mautic.go_live(text, text) is
  'Lets this project send to this Mautic; without arguments: the only pair that has asked. Raises object_not_in_prerequisite_state '
  'where none has asked, and ambiguous_parameter, with a list, where several have. A copy of the database is another project, and has to be told again.';

create function mautic.send(key text, source text default null)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  a mautic.attachment;
  lead mautic.lead;
  correlation constant text := mautic.correlation_id();
begin
  select * into a from mautic.attachment s where (send.source is null and s.prefix = '') or s.source = send.source;
  select r.* into lead
  from mautic.read_leads(array[mautic.lead_id_of(a, send.key)]) r;
  if lead.lead_id is null then
    raise exception 'There is no lead with the key %', coalesce(send.key, 'null') using errcode = 'no_data_found';
  end if;
  insert into mautic.lead_change (lane, lead_ids, cause, chosen, correlation_id, changed_at, queued_at)
  values (
    'new', array[lead.lead_id], 'replay', true, correlation, least(coalesce(lead.changed_at, mautic.clock()), mautic.clock()), mautic.clock());
  perform mautic.ring_doorbell(correlation, 1);
  return lead.lead_id || ' is queued';
end
$$;

comment on function mautic.send(text, text) is
  'Sends this one lead, also before mautic.go_live(), and also one that was there before its table was attached. Raises no_data_found.';

-- Rows that vanished while no trigger looked: what a deleted row means is on_lead_delete's to say, and whether they are
-- deleted, a person's.
create function mautic.drop_absent(source text, confirm boolean default false)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
set row_security = off
as $$
declare
  a mautic.attachment;
  page text[];
  upto text := '';
  gone text[];
  absent int := 0;
  correlation constant text := mautic.correlation_id();
begin
  select * into a from mautic.attachment s where s.source = drop_absent.source and s.relation is not null;
  if a.source is null then
    raise exception 'There is no attached source %', coalesce(drop_absent.source, 'null') using errcode = 'invalid_parameter_value';
  end if;
  loop
    page := array(
      select s.lead_id from mautic.lead_state s where s.source = a.source and s.gone_at is null and s.lead_id > upto order by s.lead_id limit 2000);
    exit when page = '{}';
    upto := page[cardinality(page)];
    gone := array(select mautic.absent_among(a, page));
    absent := absent + cardinality(gone);
    if confirm then
      insert into mautic.lead_change (lane, lead_ids, cause, correlation_id, removal)
      select 'bulk', array[id], 'delete', correlation, (select mautic.removal_set()) from unnest(gone) id;
    end if;
  end loop;
  if confirm then
    update mautic.attachment s set absent = 0 where s.source = a.source;
    perform mautic.ring_doorbell(correlation, absent);
  end if;
  return jsonb_build_object('absent', absent, 'dropped', case when confirm then absent else 0 end, 'on_lead_delete', mautic.get('on_lead_delete'));
end
$$;

comment on function mautic.drop_absent(text, boolean) is
  'Leads of a source whose rows are gone though no trigger saw it. confirm => true takes them as deleted, with what the setting '
  'on_lead_delete says. Returns {absent, dropped, on_lead_delete}. Raises invalid_parameter_value.';
