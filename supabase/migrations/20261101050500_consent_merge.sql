-- The four rules by which what is known and what events say become one. plpgsql, because Postgres (up to 17)
-- plans a SQL function that it cannot write into the statement anew for each delivery.

-- Do we know this lead, and does its row show what we wrote? Where it shows another status, somebody
-- decided: that is the truth to go on from.
create function mautic.shows_our_status(s mautic.subscription, p_email_status text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  return s.lead_id is not null and mautic.email_status_of(s) is not distinct from p_email_status;
end
$$;

comment on function mautic.shows_our_status(mautic.subscription, text) is
  'The row''s email_status is the one that follows from what is known of the lead.';

-- A complaint that somebody wrote counts as one; what the row says else is the status of that time.
create function mautic.subscription_base(
  s mautic.subscription, p_lead_id text, p_email_status text, p_changed_at timestamptz
)
returns mautic.subscription
language plpgsql
immutable
set search_path = ''
as $$
declare
  base mautic.subscription;
begin
  if mautic.shows_our_status(s, p_email_status) then
    return s;
  end if;
  base.lead_id := p_lead_id;
  base.origin := s.origin;
  base.contact_id := s.contact_id;
  if p_email_status = 'complained' then
    base.complained_at := coalesce(p_changed_at, '-infinity');
  elsif p_email_status is not null then
    base.status := p_email_status;
    base.status_at := coalesce(p_changed_at, '-infinity');
  end if;
  return base;
end
$$;

comment on function mautic.subscription_base(mautic.subscription, text, text, timestamptz) is
  'What a lead''s status goes on from: what is known of it, or what somebody wrote into its row.';

create function mautic.decided_at(s mautic.subscription, p_email_status text, p_changed_at timestamptz)
returns timestamptz
language plpgsql
immutable
set search_path = ''
as $$
begin
  return case
    when s.lead_id is not null and not mautic.shows_our_status(s, p_email_status)
      then coalesce(p_changed_at, '-infinity')
    else '-infinity'
  end;
end
$$;

comment on function mautic.decided_at(mautic.subscription, text, timestamptz) is
  'When somebody wrote another status into the row than we had, a complaint included: what is older has no say any more.';

-- Newer goes before older, of one time the more restrictive; manual entries and complaints are kept apart
-- (mautic.email_status_of).
create function mautic.merge_subscription(base mautic.subscription, news mautic.subscription)
returns mautic.subscription
language plpgsql
immutable
set search_path = ''
as $$
declare
  merged mautic.subscription := base;
begin
  if news.status is not null and (
    base.status_at is null
    or news.status_at > base.status_at
    or (
      news.status_at = base.status_at
      and mautic.restrictiveness(news.status) > mautic.restrictiveness(base.status)
    )
  ) then
    merged.status := news.status;
    merged.status_at := news.status_at;
  end if;
  merged.manual_at := greatest(base.manual_at, news.manual_at);
  merged.complained_at := least(base.complained_at, news.complained_at);
  merged.origin := coalesce(news.origin, base.origin);
  merged.contact_id := coalesce(news.contact_id, base.contact_id);
  merged.gone_at := null;
  return merged;
end
$$;

comment on function mautic.merge_subscription(mautic.subscription, mautic.subscription) is
  'What is known of a lead, and what events say of it, in one. The same whatever the order in which events come.';
