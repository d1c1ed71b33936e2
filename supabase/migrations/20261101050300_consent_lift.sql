-- Lifting our own do-not-contact entry, which Mautic tells of like of a resubscription, and an opt-out
-- that comes in the same moment.

create function mautic.begin_lift(p_origin text, p_contact_id bigint, p_lead_id text, p_entries jsonb)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  update mautic.contact c
  set
    lifting_after = (select coalesce(max(e.id), 0) from mautic.webhook_event e),
    lifting_until = mautic.clock() + interval '5 minutes',
    lifted = p_entries
  where c.origin = p_origin and c.contact_id = p_contact_id;
  return mautic.read_email_status(p_origin, p_contact_id, p_lead_id);
end
$$;

comment on function mautic.begin_lift(text, bigint, text, jsonb) is
  'Notes that our own do-not-contact entry of a contact is about to be lifted, p_entries are all that are there; '
  'returns the contact''s email_status as it is then (mautic.read_email_status).';

create function mautic.is_lift_overtaken(c mautic.contact)
returns boolean
language sql
volatile
security definer
set search_path = ''
as $$
  select c.lifting_until > mautic.clock() and exists (
    select from mautic.webhook_event e
    where e.origin = c.origin and e.contact_id = c.contact_id and e.id > c.lifting_after and e.kind <> 'subscribed'
  );
$$;

comment on function mautic.is_lift_overtaken(mautic.contact) is
  'Our own entry of this contact is being lifted, and an opt-out has come since that began.';

-- Mautic's removal takes an opt-out along that came in the same moment, and its queue tells of it when
-- all is done. Then the contact is known as it was before, so that its lead puts the opt-out back.
create function mautic.restore_lifted(p_origin text, p_contact_ids bigint[])
returns void
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  leads text[];
begin
  with overtaken as (
    update mautic.contact c
    set do_not_contact = c.lifted, lifted = null
    where c.origin = p_origin and c.contact_id = any (p_contact_ids)
      and c.lifted is not null and c.do_not_contact = '[]' and mautic.is_lift_overtaken(c)
    returning c.contact_id
  )
  select array_agg(k.lead_id) into leads
  from overtaken
  join mautic.contact_link k on k.origin = p_origin and k.contact_id = overtaken.contact_id;
  if leads is not null then
    perform mautic.queue_replay(leads, false, correlation);
    perform mautic.ring_doorbell(correlation, cardinality(leads));
  end if;
end
$$;

comment on function mautic.restore_lifted(text, bigint[]) is
  'Queues the leads of those of these contacts whose opt-out came while our own entry was being lifted.';
