-- What a lead's email_status follows from.

-- How much a status keeps us from mailing: decides among leads of one contact, and among events of one second.
create function mautic.restrictiveness(p_status text)
returns int
language sql
immutable
as $$
  select case p_status when 'subscribed' then 0 when 'bounced' then 2 when 'complained' then 3 else 1 end;
$$;

comment on function mautic.restrictiveness(text) is 'subscribed 0, unsubscribed (and what is unknown) 1, bounced 2, complained 3.';

-- As isMailable() in shared/consent/email_status.ts.
create function mautic.is_mailable(p_status text)
returns boolean
language sql
immutable
set search_path = ''
as $$
  select coalesce(p_status, 'subscribed') = 'subscribed';
$$;

comment on function mautic.is_mailable(text) is
  'May a person with this email_status be mailed? null: nothing is known against it. The triggers have a copy, written out.';

-- A lead's email_status is a function of the set of events heard of, not of their order of
-- arrival. These four times and a status are all of that set that matters.
create table mautic.subscription (
  lead_id text primary key,
  status text,
  status_at timestamptz,
  manual_at timestamptz,
  complained_at timestamptz,
  origin text,
  contact_id bigint,
  gone_at timestamptz
);

create index subscription_by_contact on mautic.subscription (contact_id, origin);

comment on table mautic.subscription is 'What a lead''s email_status follows from (see mautic.email_status_of).';
comment on column mautic.subscription.status is
  'Of the newest event that is neither manual nor a complaint; of several at one time the most restrictive.';
comment on column mautic.subscription.manual_at is 'Newest manual do-not-contact. Overrules subscribed, never bounced.';
comment on column mautic.subscription.complained_at is 'Earliest complaint. No event lifts it; writing email_status by hand does.';
comment on column mautic.subscription.contact_id is 'The contact that the newest event was about.';
comment on column mautic.subscription.gone_at is 'Mautic has no such contact any more: the reconciliation does not ask again.';

alter table mautic.subscription enable row level security;

create function mautic.email_status_of(s mautic.subscription)
returns text
language sql
immutable
as $$
  select case
    when s.complained_at is not null then 'complained'
    when s.manual_at is null then s.status
    when s.status is null then 'unsubscribed'
    when s.status = 'subscribed' and s.manual_at < s.status_at then 'subscribed'
    when s.status = 'subscribed' then 'unsubscribed'
    else s.status
  end;
$$;

comment on function mautic.email_status_of(mautic.subscription) is
  'The status that follows: a complaint stays; manual reads as unsubscribed and never replaces bounced; else the newest.';

create function mautic.email_status_at(s mautic.subscription)
returns timestamptz
language sql
immutable
as $$
  select nullif(
    case
      when s.complained_at is not null then s.complained_at
      when s.status = 'bounced' then s.status_at
      else greatest(s.status_at, s.manual_at)
    end,
    '-infinity'
  );
$$;

comment on function mautic.email_status_at(mautic.subscription) is 'When what email_status_of() says came about, by Mautic''s clock.';

create function mautic.read_email_status(p_origin text, p_contact_id bigint, p_lead_id text)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  select l.email_status
  from mautic.read_leads(
    array(
      select k.lead_id from mautic.contact_link k
      where k.origin = p_origin and k.contact_id = p_contact_id
    ) || p_lead_id
  ) l
  order by mautic.restrictiveness(coalesce(l.email_status, 'subscribed')) desc
  limit 1;
$$;

comment on function mautic.read_email_status(text, bigint, text) is
  'The most restrictive email_status of the leads that are this contact, and of the given one, as it is now. null: mailable.';
