-- The leads table, only where the application has none of its own yet.

do $leads$
begin
  if to_regclass('public.leads') is null then
    create table public.leads (
      id uuid primary key default gen_random_uuid(),
      email text,
      first_name text,
      last_name text,
      phone text,
      company text,
      crm_status text,
      marketing_opt_in boolean,
      ml_score numeric,
      utm_source text,
      utm_medium text,
      utm_campaign text,
      utm_term text,
      utm_content text,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    alter table public.leads enable row level security;
  end if;
end
$leads$;

-- A table of somebody else's making is used as it is, where it can be. What cannot work is said
-- here, before anything is built on it. The remedy stands in the message: the CLI prints no hints.
do $check$
declare
  kind "char";
  missing text;
begin
  select c.relkind into kind from pg_class c where c.oid = 'public.leads'::regclass;
  if kind not in ('r', 'p') then
    raise exception 'public.leads is not a table (relkind %). Triggers with transition tables need '
      'one: point the migrations at the table behind it (docs/adapt.md).', kind
      using errcode = 'feature_not_supported';
  end if;

  select string_agg(w.name, ', ') into missing
  from unnest(array['id', 'email']) as w(name)
  where not exists (
    select from pg_attribute a
    where a.attrelid = 'public.leads'::regclass and a.attname = w.name and not a.attisdropped
  );
  if missing is not null then
    raise exception 'public.leads has no column %. A lead needs a key "id" and an address "email": '
      'if yours have other names, see docs/adapt.md.', missing
      using errcode = 'undefined_column';
  end if;

  if not exists (
    select
    from pg_index i
    join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'id'
    where i.indrelid = 'public.leads'::regclass
      and i.indisunique and i.indpred is null and i.indnkeyatts = 1 and i.indkey[0] = a.attnum
      and a.attnotnull
  ) then
    raise exception 'public.leads has no key: column id is not unique and not null. Remedy: '
      'alter table public.leads add primary key (id);'
      using errcode = 'invalid_table_definition';
  end if;

  if not pg_has_role(
    current_user, (select c.relowner from pg_class c where c.oid = 'public.leads'::regclass), 'usage'
  ) then
    raise exception 'role % does not own public.leads. Run the migrations as its owner, or: '
      'alter table public.leads owner to %;', current_user, current_user
      using errcode = 'insufficient_privilege';
  end if;

  -- Whoever reads and writes it by rights alone would be cut off: not ours to switch on.
  if not (select c.relrowsecurity from pg_class c where c.oid = 'public.leads'::regclass) then
    raise warning 'public.leads has no row level security and is left so: who holds the publishable key '
      'may read and write it, as far as its grants say. Once policies are made: '
      'alter table public.leads enable row level security;';
  end if;
end
$check$;

-- Columns that a lead may do without are added empty, so that view and
-- triggers can name them all. An existing column of another type stays: it is cast where it is read.
alter table public.leads
  add column if not exists first_name text,
  add column if not exists last_name text,
  add column if not exists phone text,
  add column if not exists company text,
  add column if not exists crm_status text,
  add column if not exists marketing_opt_in boolean,
  add column if not exists ml_score numeric,
  add column if not exists utm_source text,
  add column if not exists utm_medium text,
  add column if not exists utm_campaign text,
  add column if not exists utm_term text,
  add column if not exists utm_content text;
