-- The leads table without anything of the product's on it.
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
