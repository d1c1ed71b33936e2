-- What the platform may give: extensions' functions, and secrets from Vault.

-- to_regproc() answers null for an overloaded name, so the catalogue is asked: by a name, not a text,
-- for its index is one of names.
create function mautic.has_routine(p_schema text, p_name text)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select from pg_catalog.pg_proc p
    join pg_catalog.pg_namespace n on n.oid = p.pronamespace
    where n.nspname = p_schema::name and p.proname = p_name::name
  );
$$;

create function mautic.vault_secret(p_name text)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if to_regclass('vault.decrypted_secrets') is null then
    return null;
  end if;
  -- Looked up when it is first run, not when this function is made: the schema may come later.
  return (select nullif(btrim(s.decrypted_secret), '') from vault.decrypted_secrets s where s.name = p_name limit 1);
end
$$;
