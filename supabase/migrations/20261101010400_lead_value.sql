-- What a value means, whatever its type. What cannot be read raises a data exception: the reader then leaves that
-- one value out and names it (migration "lead_read").

-- Consent. Text in the usual spellings, case and space aside; nothing that is not among them is ever consent.
create function mautic.consent_in_text(p_given text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
declare
  said constant text := lower(btrim(p_given));
begin
  if said in ('true', 't', 'yes', 'y', '1', 'on', 'ja', 'j', 'oui', 'si', 'sí', 'opt-in', 'opted_in', 'opted-in', 'subscribed', 'granted', 'given') then
    return true;
  elsif said in ('false', 'f', 'no', 'n', '0', 'off', 'nein', 'non', 'opt-out', 'opted_out', 'opted-out', 'unsubscribed', 'denied', 'withdrawn', 'revoked') then
    return false;
  elsif said is null or said in ('', 'unknown', 'null') then
    return null;
  end if;
  raise exception 'neither yes nor no' using errcode = 'invalid_text_representation';
end
$$;

create function mautic.consent_in_number(p_given numeric)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_given is null or p_given in (0, 1) then
    return p_given = 1;
  end if;
  raise exception 'neither 0 nor 1' using errcode = 'numeric_value_out_of_range';
end
$$;

-- Given at that time; one to come is none yet.
create function mautic.consent_in_time(p_given timestamptz)
returns boolean
language sql
stable
set search_path = ''
as $$
  select case when p_given <= mautic.clock() then true end
$$;

comment on function mautic.consent_in_text(text) is 'Consent as text: yes and no in the usual spellings, null for nothing said. Raises invalid_text_representation for others.';
comment on function mautic.consent_in_number(numeric) is 'Consent as 0 or 1. Raises numeric_value_out_of_range for others.';
comment on function mautic.consent_in_time(timestamptz) is 'Consent as the time at which it was given: true, or null without one and before it.';

create function mautic.is_consent_text(p_given text)
returns boolean
language plpgsql
immutable
set search_path = ''
as $$
begin
  perform mautic.consent_in_text(p_given);
  return true;
exception when data_exception then
  return false;
end
$$;

-- As they are. Of a column that has become json or an array meanwhile there is no value, rather than a spelling of it:
-- these take nothing that is not one by itself. No `set search_path`: it would keep the planner from inlining the call.
create function mautic.as_text(p_given text)
returns text
language sql
immutable
as 'select p_given';

create function mautic.as_boolean(p_given boolean)
returns boolean
language sql
immutable
as 'select p_given';

comment on function mautic.as_text(text) is 'A text as it is; no such function for what is none.';
comment on function mautic.as_boolean(boolean) is 'A boolean as it is; no such function for what is none.';

-- JSON knows neither NaN nor infinity, and a double ends at 308 digits.
create function mautic.finite_number(p_given numeric)
returns numeric
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_given in ('NaN', 'Infinity', '-Infinity') or abs(p_given) >= 1e308 then
    raise exception 'no finite number' using errcode = 'numeric_value_out_of_range';
  end if;
  return p_given;
end
$$;

comment on function mautic.finite_number(numeric) is 'A number that JSON can hold. Raises numeric_value_out_of_range.';

create function mautic.number_in_text(p_given text)
returns numeric
language sql
immutable
set search_path = ''
as $$
  select mautic.finite_number(nullif(btrim(p_given), '')::numeric)
$$;

comment on function mautic.number_in_text(text) is 'A number written as text; empty is none.';
