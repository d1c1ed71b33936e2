-- What is known of leads (mautic.lead_state), kept up with the change log, and leads found by it.

-- What cannot be read just now stays known as it was.
create function mautic.remember_leads(p_lead_ids text[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  with read as materialized (
    select r.* from mautic.read_leads(p_lead_ids) r
  ), gone as (
    delete from mautic.lead_state s
    where s.lead_id = any (p_lead_ids) and not exists (select from read r where r.lead_id = s.lead_id)
  )
  insert into mautic.lead_state as s (lead_id, source, address, stage, changed_at, digest)
  select r.lead_id, r.source, r.address, r.payload ->> 'stage', r.changed_at, r.digest
  from read r
  where r.payload -> 'missing' = '[]'
  -- One order for all who write several.
  order by r.lead_id
  on conflict (lead_id) do update
  set address = excluded.address, stage = excluded.stage, changed_at = excluded.changed_at, digest = excluded.digest,
    read_at = excluded.read_at;
end
$$;

comment on function mautic.remember_leads(text[]) is 'Keeps what these leads are now in mautic.lead_state; those that are gone are known no more.';

-- The next rows of a table that are not known, by their key.
create function mautic.read_page(p_source text, p_limit int)
returns boolean
language plpgsql
volatile
set search_path = ''
as $$
declare
  a mautic.attachment;
  read int;
  last text;
begin
  select * into a from mautic.attachment s where s.source = p_source and s.relation is not null and s.read_to_end_at is null for update;
  if a.source is null then
    return false;
  end if;
  execute format(
    $sql$with page as materialized (
      select l.%1$I as key from %2$s l where %3$s order by l.%1$I limit %4$s
    ), read as materialized (
      %5$s where l.%1$I = any (array(select p.key from page p))%6$s
    ), kept as (
      insert into mautic.lead_state (lead_id, source, address, stage, changed_at, digest)
      select r.lead_id, r.source, r.address, r.payload ->> 'stage', r.changed_at, r.digest
      from read as r(lead_id, source, address, payload, email_status, changed_at, digest)
      on conflict (lead_id) do nothing
    )
    select count(*), (select %7$s from page l order by l.key desc limit 1) from page$sql$,
    a.key_column, mautic.table_of(a),
    case when a.read_upto is null then 'true' else format('l.%I > %L::%s', a.key_column, a.read_upto, a.key_type) end,
    p_limit, mautic.select_lead_sql(a), coalesce(' and not ' || mautic.deleted_sql(a.source), ''),
    mautic.key_sql('l', 'key', a.key_type::regtype))
  into read, last;
  update mautic.attachment s
  set read_upto = coalesce(last, s.read_upto), read_to_end_at = case when read < p_limit then mautic.clock() end
  where s.source = p_source;
  return read = p_limit;
end
$$;

comment on function mautic.read_page(text, int) is
  'Reads the next p_limit rows of a source''s table into mautic.lead_state, unless they are known; true while there are more.';

create function mautic.read_unseen(p_patience interval default '20 seconds')
returns int
language plpgsql
volatile
set search_path = ''
set row_security = off
as $$
declare
  a mautic.attachment;
  began constant timestamptz := mautic.clock();
  pages int := 0;
begin
  for a in select * from mautic.attachment s where s.relation is not null and s.read_to_end_at is null loop
    begin
      loop
        pages := pages + 1;
        exit when not mautic.read_page(a.source, 2000) or mautic.clock() > began + p_patience;
      end loop;
    exception when others then
      update mautic.attachment s set problem = sqlerrm where s.source = a.source;
    end;
  end loop;
  return pages;
end
$$;

comment on function mautic.read_unseen(interval) is
  'Makes rows known that were there before their table was attached, until all are or p_patience is over; returns how many pages it read. Run by cron.';

-- By what is known, and by what nobody has folded yet; each is looked at once more. Of a bulk that is not folded the
-- newest: the others will be in a moment.
create function mautic.find_leads(p_addresses text[])
returns table (lead_id text, address text)
language sql
stable
security definer
set search_path = ''
as $$
  select r.lead_id, r.address
  from mautic.read_leads(array(
    select s.lead_id from mautic.lead_state s where s.address = any (p_addresses)
    union
    (select c.lead_id from mautic.lead_change c order by c.priority, c.id desc limit 200)
  )) r
  where r.address = any (p_addresses);
$$;

comment on function mautic.find_leads(text[]) is 'All leads with these addresses, as addresses are compared (mautic.normalize_address).';
