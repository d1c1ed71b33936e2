-- What an operator decides once and the database has to know. What the functions have to know is
-- in their environment (supabase/functions/.env.example).

create table mautic.setting (
  name text primary key,
  value text not null,
  standard text not null,
  allowed text not null,
  comment text not null,
  check (value ~ ('^(' || allowed || ')$')),
  check (standard ~ ('^(' || allowed || ')$'))
);

comment on table mautic.setting is
  'Settings of the database side. Change them with mautic.set(name, value); mautic.get(name) reads one.';
comment on column mautic.setting.standard is 'What it was set to by the migrations.';
comment on column mautic.setting.allowed is 'Regular expression for the whole value.';

alter table mautic.setting enable row level security;

insert into mautic.setting (name, value, standard, allowed, comment)
select name, standard, standard, allowed, comment
from (
  values
    ('on_lead_delete', 'keep', 'keep|do_not_contact|delete_contact',
      'What becomes of the contact in Mautic when its last lead is deleted.'),
    ('on_contact_deleted', 'recreate', 'recreate|leave',
      'What becomes of a lead whose contact was deleted in Mautic, when the lead changes next.'),
    ('bulk_rows', '100', '[1-9][0-9]{0,5}',
      'A statement or a transaction that changes more leads is bulk: new leads and single edits go before it.'),
    ('compare_minutes', '60', '[1-9][0-9]{0,4}',
      'How often a table that was written to is compared with what is known of it, for writes that no trigger saw.'),
    ('circuit_after_halts', '3', '[1-9][0-9]?',
      'After so many runs in a row that Mautic brought to a halt, only probes are sent.'),
    ('circuit_longest_pause_seconds', '30', '[1-9][0-9]{0,3}',
      'Probes come after 5, 10, 20 … seconds; this is the longest pause between two.'),
    ('history_days', '30', '[1-9][0-9]{0,3}', 'How long mautic.sync_history is kept.'),
    ('webhook_days', '30', '[1-9][0-9]{0,3}', 'How long received webhook deliveries are kept.'),
    ('cron_log_days', '2', '[1-9][0-9]{0,3}', 'How long pg_cron''s log of our own jobs is kept.'),
    ('ring_hours', '6', '[1-9][0-9]{0,3}', 'How long the doorbell''s rings and their answers are kept.')
) as s (name, standard, allowed, comment);

create function mautic.get(name text)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  found_value text;
begin
  select s.value into found_value from mautic.setting s where s.name = get.name;
  if found_value is null then
    raise exception 'There is no setting %. There are: %', coalesce(get.name, 'null'),
      (select string_agg(s.name, ', ' order by s.name) from mautic.setting s)
      using errcode = 'invalid_parameter_value';
  end if;
  return found_value;
end
$$;

comment on function mautic.get(text) is 'The value of a setting; all of them: select * from mautic.setting.';

create function mautic.set(name text, value text)
returns text
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  allowed text;
begin
  perform mautic.get(set.name);
  select s.allowed into allowed from mautic.setting s where s.name = set.name;
  if set.value is null or set.value !~ ('^(' || allowed || ')$') then
    raise exception 'Setting % cannot be %. Allowed: %', set.name, coalesce(quote_literal(set.value), 'null'), allowed
      using errcode = 'invalid_parameter_value';
  end if;
  update mautic.setting s set value = set.value where s.name = set.name;
  return set.name || ' = ' || set.value;
end
$$;

comment on function mautic.set(text, text) is
  'Changes a setting, e.g. mautic.set(''on_lead_delete'', ''delete_contact''). Raises for unknown names and values.';
