-- Which tables hold the leads, and what of them goes where. All that is known of a table's shape is
-- data: mautic.attach() and mautic.map_field() (migrations "operate_attach", "operate_map_field")
-- write it, and trigger generator, reader, mapper, set-up and doctor read it here and nowhere else.

create table mautic.attachment (
  source text primary key
    check (source ~ '^[a-z][a-z0-9_]{0,39}$' and source not in ('contact', 'erase')),
  prefix text not null unique,
  rank int not null,
  declared jsonb not null,
  schema_name name not null,
  table_name name not null,
  relation oid,
  key_column name,
  key_type text,
  status_column name,
  status_at_column name,
  activity text,
  generated_version int,
  attached_at timestamptz,
  read_upto text,
  read_to_end_at timestamptz,
  digest_of text,
  is_rewriting boolean not null default false,
  is_suspect boolean not null default false,
  compared_upto text,
  comparing_since timestamptz,
  compared_at timestamptz,
  compared_mark text,
  compared_rows bigint not null default 0,
  unseen bigint not null default 0,
  absent bigint not null default 0,
  absent_upto text,
  overlong bigint not null default 0,
  problem text,
  read_problem text,
  check ((relation is null) = (attached_at is null))
);

comment on table mautic.attachment is
  'One row a source of leads: a table that is attached, or that is declared and not there yet.';
comment on column mautic.attachment.prefix is
  'What stands before a key in a lead id: nothing for the first source, else the source and a colon.';
comment on column mautic.attachment.rank is 'Of several sources that speak of one field the lowest rank is heard.';
comment on column mautic.attachment.declared is 'What attach was called with, without what it was left to find.';
comment on column mautic.attachment.relation is
  'The table whose triggers are ours; null: not attached yet. Another one of the same name is found by it.';
comment on column mautic.attachment.key_type is 'The key''s type as SQL writes it: keys come as text and are compared in it.';
comment on column mautic.attachment.status_column is
  'The application''s column that shows email_status; null: only mautic.lead_state does.';
comment on column mautic.attachment.activity is 'The application''s table of activities, qualified; null: mautic.lead_activity.';
comment on column mautic.attachment.generated_version is 'mautic.generated_version() when its functions were written.';
comment on column mautic.attachment.read_upto is 'The key up to which its rows are known (mautic.lead_state).';
comment on column mautic.attachment.read_to_end_at is 'Since when all rows are known that were there when it was attached.';
comment on column mautic.attachment.digest_of is 'What lead_state.digest is made of: the expression and the server''s version.';
comment on column mautic.attachment.is_rewriting is 'digest_of is another one than before: digests are written anew, and tell nothing until that is done.';
comment on column mautic.attachment.is_suspect is 'Something was written to it that nobody saw (mautic.table_change), and no pass has ended since: whatever differs is queued.';
comment on column mautic.attachment.compared_upto is 'The key up to which rows were compared in the pass that is under way.';
comment on column mautic.attachment.comparing_since is 'When the pass under way began; null: none is.';
comment on column mautic.attachment.compared_at is 'When the last pass ended.';
comment on column mautic.attachment.compared_mark is 'The table''s counters when the last pass began: without another write there is nothing to compare.';
comment on column mautic.attachment.compared_rows is 'Known leads whose rows the pass under way has met.';
comment on column mautic.attachment.unseen is 'Rows that the last pass found changed or new, and that no trigger saw. They are queued.';
comment on column mautic.attachment.absent is 'Leads whose rows the last pass did not find, though no trigger saw them go. Nothing is done by itself (mautic.drop_absent).';
comment on column mautic.attachment.absent_upto is 'The lead id up to which the pass under way has looked for absent rows.';
comment on column mautic.attachment.problem is 'Why it is not attached, or not any more, as Postgres or attach said it.';
comment on column mautic.attachment.read_problem is 'Why its rows could not be read or compared, as Postgres said it; null: the last try succeeded.';

-- What a column, or an expression over the row l, means to us. Also the report of attach: one row a role.
comment on column mautic.attachment.overlong is 'Changes of rows that are not sent, because our indexes hold no lead id of that length.';

-- An index takes 2,704 bytes, as it packs them, which only an index tells.
create table mautic.lead_id_probe (
  lead_id text primary key
);

comment on table mautic.lead_id_probe is 'Always empty: where mautic.is_overlong() tries what an index takes.';

alter table mautic.lead_id_probe enable row level security;

create function mautic.is_overlong(p_lead_id text)
returns boolean
language plpgsql
volatile
security definer
set search_path = ''
as $$
begin
  if octet_length(p_lead_id) <= 2000 then
    return false;
  end if;
  begin
    -- Ours bear other columns and longer keys, by less than that.
    insert into mautic.lead_id_probe (lead_id) values (p_lead_id || md5('1') || md5('2') || md5('3'));
    raise exception using errcode = 'triggered_action_exception';
  exception
    when triggered_action_exception then
      return false;
    when program_limit_exceeded then
      return true;
  end;
end
$$;

comment on function mautic.is_overlong(text) is 'Is this lead id too long for our indexes?';

create table mautic.role (
  source text not null references mautic.attachment on delete cascade,
  role text not null,
  given text,
  expression text,
  type oid,
  columns name[] not null default '{}',
  tables text[] not null default '{}',
  why text not null,
  remedy text,
  primary key (source, role)
);

comment on table mautic.role is 'What attach found or was told of a source: address, stage, consent, score and the others.';
comment on column mautic.role.given is 'As it was said to attach; null: found by convention.';
comment on column mautic.role.expression is 'As Postgres prints it back, qualified; null: there is none.';
comment on column mautic.role.columns is 'Columns of the table that it reads: a change of one makes a lead dirty.';
comment on column mautic.role.tables is 'Other tables that it reads, qualified: a change of one is seen where it is watched (mautic.watch).';
comment on column mautic.role.remedy is 'The statement that gives what is missing.';

create type mautic.field_type as enum ('text', 'number');

create type mautic.when_blank as enum ('keep', 'clear');

create type mautic.too_long as enum ('cut', 'refuse');

create table mautic.field_map (
  source text not null references mautic.attachment on delete cascade,
  alias text not null check (alias ~ '^[a-z][a-z0-9_]{0,63}$'),
  given text,
  expression text,
  value_type oid,
  columns name[] not null default '{}',
  type mautic.field_type not null default 'text',
  part text[],
  when_blank mautic.when_blank not null default 'clear',
  too_long mautic.too_long not null default 'cut',
  place int not null,
  is_standard boolean not null,
  primary key (source, alias)
);

comment on table mautic.field_map is
  'Which value of a source goes to which contact field of Mautic: the only list of fields.';
comment on column mautic.field_map.expression is
  'As Postgres prints it back; null: the table gives nothing for it, and the field is left alone.';
comment on column mautic.field_map.part is 'Where upsert_contact''s payload has the value: {contact,first_name}. null: nowhere.';
comment on column mautic.field_map.when_blank is 'keep: a lead without a value says nothing. clear: it blanks what it filled.';
comment on column mautic.field_map.too_long is 'What becomes of a text that the field cannot hold. Identifiers are refused: half an id is another''s.';
comment on column mautic.field_map.place is 'The order of sending.';
comment on column mautic.field_map.is_standard is 'Written by attach; false: by mautic.map_field() or unmap_field(), and attach leaves it alone.';

alter table mautic.attachment enable row level security;
alter table mautic.role enable row level security;
alter table mautic.field_map enable row level security;

-- How a table is written in a statement, by the names it was declared with.
create function mautic.table_of(a mautic.attachment)
returns text
language sql
immutable
set search_path = ''
as $$
  select format('%I.%I', a.schema_name, a.table_name)
$$;

comment on function mautic.table_of(mautic.attachment) is 'The table of a source, qualified and quoted.';

-- Not the key, which is the lead, nor the time of change: that a row was touched changes nothing. Nor what is resolved
-- for later use and read by nothing yet.
create function mautic.columns_read(p_source text)
returns name[]
language plpgsql
stable
set search_path = ''
as $$
begin
  return (
    select coalesce(array_agg(distinct c order by c), '{}')
    from (
      select unnest(r.columns) as c
      from mautic.role r
      where r.source = p_source and r.expression is not null and r.role not in ('key', 'changed_at', 'consent_at', 'value')
      union
      select unnest(f.columns) from mautic.field_map f where f.source = p_source and f.expression is not null and f.given <> 'key'
    ) as named);
end
$$;

comment on function mautic.columns_read(text) is 'The columns of a source''s table by which a lead changes: those that its roles and fields read.';

-- A table of that name which is not the attached one, or which lost a column, is for attach to read anew first.
create function mautic.is_as_attached(a mautic.attachment)
returns boolean
language sql
stable
set search_path = ''
as $$
  select a.relation = to_regclass(mautic.table_of(a))::oid and not exists (
    select from unnest(mautic.columns_read(a.source)) c
    where not exists (
      select from pg_catalog.pg_attribute t where t.attrelid = a.relation and t.attname = c and t.attnum > 0 and not t.attisdropped))
$$;

comment on function mautic.is_as_attached(mautic.attachment) is 'Is this the table that was attached, with all columns that are read?';

create function mautic.role_sql(p_source text, p_role text)
returns text
language sql
stable
set search_path = ''
as $$
  select r.expression from mautic.role r where r.source = p_source and r.role = p_role
$$;

comment on function mautic.role_sql(text, text) is 'The expression over l that gives a role of a source; of key the whole lead id. null: there is none.';
