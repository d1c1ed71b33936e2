-- Stand-in for pg_net 0.19: the same tables, functions and grants. The worker behind it is
-- pg_net_worker.ts beside it; `net.wake()` reaches it by a notification, which Postgres sends on
-- commit only, as the real one wakes its worker on commit only.

create schema net;

create domain net.http_method as text
  check (value ilike 'get' or value ilike 'post' or value ilike 'delete');

-- Unlogged, as the real ones: a crash of any backend empties both.
create unlogged table net.http_request_queue (
  id bigserial,
  method net.http_method not null,
  url text not null,
  headers jsonb,
  body bytea,
  timeout_milliseconds int not null
);

create unlogged table net._http_response (
  id bigint,
  status_code integer,
  content_type text,
  headers jsonb,
  content text,
  timed_out bool,
  error_msg text,
  created timestamptz not null default now()
);
create index on net._http_response (created);

create function net.wake() returns void
language sql
as $$ select pg_notify('pg_net', '') $$;

create function net._urlencode_string(string varchar) returns text
language sql
immutable strict
as $$
  select coalesce(
    string_agg(
      case when letter ~ '[A-Za-z0-9._~-]' then letter
        else regexp_replace(upper(encode(convert_to(letter, 'UTF8'), 'hex')), '(..)', '%\1', 'g')
      end,
      '' order by place
    ),
    ''
  )
  from regexp_split_to_table(string, '') with ordinality as letters (letter, place)
$$;

create function net._encode_url_with_params_array(url text, params_array text[]) returns text
language sql
immutable strict
as $$
  select url || case
    when cardinality(params_array) = 0 then ''
    else case when url like '%?%' then '&' else '?' end || array_to_string(params_array, '&')
  end
$$;

create function net._enqueue(
  method text,
  url text,
  params jsonb,
  headers jsonb,
  body bytea,
  timeout_milliseconds int
) returns bigint
language plpgsql
as $$
declare
  request_id bigint;
  params_array text[];
begin
  select coalesce(
    array_agg(net._urlencode_string(key) || '=' || net._urlencode_string(value)), '{}'
  )
  into params_array
  from jsonb_each_text(params);

  insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
  values (
    method,
    net._encode_url_with_params_array(url, params_array),
    headers,
    body,
    timeout_milliseconds
  )
  returning id into request_id;

  perform net.wake();
  return request_id;
end
$$;

create function net.http_get(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000
) returns bigint
strict volatile parallel safe
language sql
security definer
set search_path to 'net'
as $$ select net._enqueue('GET', url, params, headers, null, timeout_milliseconds) $$;

create function net.http_post(
  url text,
  body jsonb default '{}',
  params jsonb default '{}',
  headers jsonb default '{"Content-Type": "application/json"}',
  timeout_milliseconds int default 5000
) returns bigint
volatile parallel safe
language plpgsql
security definer
set search_path to 'net'
as $$
declare
  content_type text;
begin
  select header_value
  into content_type
  from jsonb_each_text(coalesce(headers, '{}')) as r (header_name, header_value)
  where lower(header_name) = 'content-type'
  limit 1;

  if content_type is null then
    headers := headers || '{"Content-Type": "application/json"}';
  end if;
  if content_type <> 'application/json' then
    raise exception 'Content-Type header must be "application/json"';
  end if;
  if body is null then
    raise exception 'body must not be null';
  end if;

  return net._enqueue(
    'POST', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  );
end
$$;

create function net.http_delete(
  url text,
  params jsonb default '{}',
  headers jsonb default '{}',
  timeout_milliseconds int default 5000,
  body jsonb default null
) returns bigint
volatile parallel safe
language sql
security definer
set search_path to 'net'
as $$
  select net._enqueue(
    'DELETE', url, params, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds
  )
$$;

revoke all on all functions in schema net from public;
grant usage on schema net to postgres, anon, authenticated, service_role;
grant all on all tables in schema net to postgres;
grant all on all sequences in schema net to postgres;
grant execute on function
  net.http_get(text, jsonb, jsonb, int),
  net.http_post(text, jsonb, jsonb, jsonb, int),
  net.http_delete(text, jsonb, jsonb, int, jsonb)
  to postgres, anon, authenticated, service_role;
grant execute on function net.wake() to postgres;
