-- The token cache: one fetch at a time for all running function instances.

create table mautic.oauth_token (
  origin text not null,
  client_id text not null,
  sealed text,
  stored_at timestamptz,
  expires_at timestamptz,
  holder uuid,
  hold_until timestamptz,
  primary key (origin, client_id)
);

comment on table mautic.oauth_token is
  'The cached access token. Sealed (AES-GCM under a key derived from the client secret): a dump, '
  'backup or replica holds no bearer token.';
comment on column mautic.oauth_token.holder is 'Who is fetching a new token; nobody else does until hold_until.';

alter table mautic.oauth_token enable row level security;

-- The token cache: one fetch at a time for all running function instances.
create function mautic.acquire_token(p_origin text, p_client_id text, p_holder uuid, p_hold_ms int)
returns jsonb
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  token mautic.oauth_token;
begin
  insert into mautic.oauth_token (origin, client_id) values (p_origin, p_client_id)
  on conflict do nothing;
  select * into token
  from mautic.oauth_token t
  where t.origin = p_origin and t.client_id = p_client_id
  for update;

  -- 60 s of margin, or half of its life where Mautic is set to shorter lives.
  if token.sealed is not null
    and mautic.clock() < token.expires_at - least(interval '60 seconds', (token.expires_at - token.stored_at) / 2)
  then
    return jsonb_build_object('state', 'cached', 'sealed', token.sealed, 'expires_at', token.expires_at);
  end if;

  if token.holder is not null and token.holder <> p_holder and token.hold_until > mautic.clock() then
    return jsonb_build_object(
      'state', 'wait',
      'retry_ms', least(100, 1 + (extract(epoch from token.hold_until - mautic.clock()) * 1000)::int));
  end if;

  update mautic.oauth_token
  set holder = p_holder, hold_until = mautic.clock() + p_hold_ms * interval '1 millisecond'
  where origin = p_origin and client_id = p_client_id;
  return jsonb_build_object('state', 'refresh');
end
$$;

comment on function mautic.acquire_token(text, text, uuid, int) is
  'cached: {sealed, expires_at}. refresh: the caller, and nobody else for p_hold_ms, fetches a new one. wait: ask again after retry_ms.';

create function mautic.store_token(
  p_origin text, p_client_id text, p_holder uuid, p_sealed text, p_expires_at timestamptz
)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  -- Fenced: a holder whose time ran out does not replace its successor's token.
  update mautic.oauth_token
  set sealed = p_sealed, stored_at = mautic.clock(), expires_at = p_expires_at, holder = null, hold_until = null
  where origin = p_origin and client_id = p_client_id and holder = p_holder;
$$;

comment on function mautic.store_token(text, text, uuid, text, timestamptz) is 'Keeps a sealed token and ends the hold.';

create function mautic.drop_token(p_origin text, p_client_id text, p_sealed text)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.oauth_token
  set sealed = null, stored_at = null, expires_at = null
  where origin = p_origin and client_id = p_client_id and sealed = p_sealed;
$$;

comment on function mautic.drop_token(text, text, text) is 'Forgets a token that Mautic refused (401), if it is still the cached one.';

create function mautic.release_token(p_origin text, p_client_id text, p_holder uuid)
returns void
language sql
volatile
security definer
set search_path = ''
as $$
  update mautic.oauth_token
  set holder = null, hold_until = null
  where origin = p_origin and client_id = p_client_id and holder = p_holder;
$$;

comment on function mautic.release_token(text, text, uuid) is 'Ends a hold without a token: the next caller may try.';
