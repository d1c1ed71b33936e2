-- Reconciliation: linked contacts that were merged away.

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
