-- What becomes of a contact when its lead is deleted.

-- A contact that a lead still is, by link or by address, is never touched. Asked at claim, and
-- again by the worker right before the call, with the address that Mautic itself just told.
create function mautic.contact_in_use(p_origin text, p_contact_id bigint, p_address text default null)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select
    exists (
      select
      from mautic.read_leads(array(
        select k.lead_id from mautic.contact_link k where k.origin = p_origin and k.contact_id = p_contact_id
      ))
    )
    or exists (
      select
      from mautic.find_leads(
        array(select c.address from mautic.contact c where c.origin = p_origin and c.contact_id = p_contact_id)
        || mautic.normalize_address(p_address)
      )
    )
    -- More is written than has been looked through (mautic.find_leads): nothing is removed meanwhile.
    or exists (select from mautic.logged_lead offset 200);
$$;

comment on function mautic.contact_in_use(text, bigint, text) is
  'Is this contact, or whoever has this address, a lead that exists? Then it must not be removed.';

create function mautic.may_remove(p_origin text, p_lead_id text, p_attempted text[])
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  known bigint;
begin
  select k.contact_id into known
  from mautic.contact_link k
  where k.origin = p_origin and k.lead_id = p_lead_id and k.left_at is null;
  if known is null and p_attempted = '{}' then
    return false;
  end if;
  return not mautic.contact_in_use(p_origin, known)
    and not exists (select from mautic.find_leads(p_attempted));
end
$$;

comment on function mautic.may_remove(text, text, text[]) is
  'Has the removal of this deleted lead''s contact an object, and does no other lead use it?';

-- After contacts were deleted in Mautic by our own hand.
create function mautic.forget_contacts(p_origin text, p_lead_id text, p_contact_ids bigint[])
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  delete from mautic.enrollment where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.do_not_contact where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.contact_link where origin = p_origin and contact_id = any (p_contact_ids);
  delete from mautic.contact where origin = p_origin and contact_id = any (p_contact_ids);
  -- An erasure's own link has served.
  delete from mautic.contact_link where p_lead_id like 'erase:%' and lead_id = p_lead_id;
$$;

comment on function mautic.forget_contacts(text, text, bigint[]) is 'Deletes what is known of contacts that are gone from Mautic.';
