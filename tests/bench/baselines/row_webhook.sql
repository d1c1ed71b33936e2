-- A database webhook as Supabase's dashboard makes one
-- (https://supabase.com/docs/guides/database/webhooks): a row trigger that posts the row by pg_net.
-- The function is the platform's, written anew after what that page says it sends.
create extension if not exists pg_net;
create schema supabase_functions;

create table supabase_functions.hooks (
  id bigserial primary key,
  hook_table_id int not null,
  hook_name text not null,
  created_at timestamptz not null default now(),
  request_id bigint
);

create function supabase_functions.http_request() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  url text := tg_argv[0];
  headers jsonb := tg_argv[2];
  params jsonb := tg_argv[3];
  timeout_ms int := tg_argv[4];
  payload jsonb := jsonb_build_object(
    'type', tg_op,
    'table', tg_table_name,
    'schema', tg_table_schema,
    'record', to_jsonb(new),
    'old_record', to_jsonb(old)
  );
  request_id bigint;
begin
  request_id := net.http_post(url, payload, params, headers, timeout_ms);
  insert into supabase_functions.hooks (hook_table_id, hook_name, request_id)
  values (tg_relid, tg_name, request_id);
  return new;
end
$$;
