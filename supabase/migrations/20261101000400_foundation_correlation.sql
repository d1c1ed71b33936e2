-- What ties a write, its ring, the function's log lines and the call to Mautic together: the
-- application's own id where it gives one (a setting, or the header of a Data API request).

create function mautic.read_correlation_id()
returns text
language plpgsql
volatile
set search_path = ''
as $$
declare
  -- Named in full: whoever writes a lead may have a temporary type of that name.
  given pg_catalog.text := nullif(current_setting('mautic.correlation_id', true), '');
begin
  if given is null then
    begin
      given := nullif(current_setting('request.headers', true), '')::pg_catalog.json ->> 'x-correlation-id';
    exception when others then
      given := null;
    end;
  end if;
  return case when given ~ '^[A-Za-z0-9._:-]{1,128}$' then given end;
end
$$;

comment on function mautic.read_correlation_id() is
  'The setting mautic.correlation_id, else the request''s X-Correlation-ID; null without one that is sound.';

-- Every write of a lead asks, and most bring no id: Postgres writes this into the caller's
-- expression, as long as it has no search path of its own.
create function mautic.given_correlation_id()
returns text
language sql
volatile
as $$
  select case
    when current_setting('mautic.correlation_id', true) <> '' or current_setting('request.headers', true) <> ''
      then mautic.read_correlation_id()
  end
$$;

comment on function mautic.given_correlation_id() is 'As read_correlation_id(), for next to nothing where no id is given.';

create function mautic.correlation_id()
returns text
language sql
volatile
as $$
  select coalesce(
    mautic.given_correlation_id(),
    'tx-' || pg_current_xact_id_if_assigned(),
    gen_random_uuid()::text
  )
$$;

comment on function mautic.correlation_id() is
  'The given one, else tx- and the transaction''s number, else (nothing was written yet) a new uuid.';
