-- What a column is for, where nobody said: by its name, type, check and default only. Never by the rows,
-- so that a migration does the same in a reset, on a preview branch and in production.

create function mautic.plain_name(p_name text)
returns text
language sql
immutable
set search_path = ''
as $$
  select regexp_replace(lower(p_name), '[^a-z0-9]', '', 'g')
$$;

comment on function mautic.plain_name(text) is 'A column''s name without case and separators: firstName, first_name and "First Name" are one.';

create function mautic.conventions()
returns table (role text, kinds text[], names text[])
language sql
immutable
set search_path = ''
as $$
  values
    ('address', '{text}'::text[], '{email,emailaddress,mail,mailaddress}'::text[]),
    ('stage', '{text,number}', '{crmstatus,leadstatus,status,stage,leadstage,lifecyclestage}'),
    ('consent', '{boolean,number,text}', '{marketingoptin,optin,emailoptin,newsletteroptin,marketingconsent,emailconsent,'
      'consent,gdprconsent,consentgiven,acceptsmarketing,newsletter,subscribed}'),
    -- Where none of these is there: the time at which it was given.
    ('consent', '{time}', '{marketingoptinat,optinat,optedinat,marketingconsentat,consentat,consentedat,consentgivenat}'),
    ('consent_at', '{time}', '{marketingoptinat,optinat,optedinat,marketingconsentat,consentat,consentedat,consentgivenat,'
      'marketingoptinchangedat,consentchangedat}'),
    ('score', '{number}', '{mlscore,leadscore,score}'),
    ('value', '{number}', '{leadvalue,dealvalue}'),
    ('deleted', '{time,boolean}', '{deletedat,deleted,isdeleted,archivedat,archived,isarchived}'),
    ('changed_at', '{time}', '{updatedat,modifiedat,changedat,lastmodifiedat}'),
    ('changed_at', '{time}', '{createdat,insertedat}'),
    ('firstname', '{text}', '{firstname,givenname,forename}'),
    ('lastname', '{text}', '{lastname,surname,familyname}'),
    ('phone', '{text,number}', '{phone,phonenumber,telephone}'),
    ('company', '{text}', '{company,companyname,organization,organisation}'),
    ('utm_source', '{text,number}', '{utmsource}'),
    ('utm_medium', '{text,number}', '{utmmedium}'),
    ('utm_campaign', '{text,number}', '{utmcampaign}'),
    ('utm_term', '{text,number}', '{utmterm}'),
    ('utm_content', '{text,number}', '{utmcontent}')
$$;

comment on function mautic.conventions() is
  'Names of columns (mautic.plain_name) and kinds of types by which a role or value is recognised; the first line of a role that meets a column counts.';

-- What a column may hold, as far as its type, its checks and its default say so.
create function mautic.said_values(p_table regclass, p_attnum smallint)
returns text[]
language sql
stable
set search_path = ''
as $$
  select array(
    select e.enumlabel::text
    from pg_catalog.pg_attribute a join pg_catalog.pg_enum e on e.enumtypid = a.atttypid
    where a.attrelid = p_table and a.attnum = p_attnum
    union
    select replace(m[1], '''''', '''')
    from pg_catalog.pg_constraint c,
      regexp_matches(pg_catalog.pg_get_constraintdef(c.oid), '''((?:[^'']|'''')*)''::', 'g') m
    where c.conrelid = p_table and c.contype = 'c' and c.conkey = array[p_attnum]
    union
    select replace(m[1], '''''', '''')
    from pg_catalog.pg_attrdef d,
      regexp_matches(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '^''((?:[^'']|'''')*)''::[a-z]', 'g') m
    where d.adrelid = p_table and d.adnum = p_attnum)
$$;

comment on function mautic.said_values(regclass, smallint) is
  'The texts that an enum, a check of this column alone or its default names; empty where they name none.';

-- The contact fields of the original integration. `from`: a role, or a line of mautic.conventions().
create function mautic.standard_fields()
returns table (place int, alias text, "from" text, part text[], type mautic.field_type, when_blank mautic.when_blank, too_long mautic.too_long)
language sql
immutable
set search_path = ''
as $$
  values
    (10, 'hki_utm_source', 'utm_source', '{utm,source}'::text[], 'text'::mautic.field_type, 'keep'::mautic.when_blank, 'cut'::mautic.too_long),
    (20, 'hki_utm_medium', 'utm_medium', '{utm,medium}', 'text', 'keep', 'cut'),
    (30, 'hki_utm_campaign', 'utm_campaign', '{utm,campaign}', 'text', 'keep', 'cut'),
    (40, 'hki_utm_term', 'utm_term', '{utm,term}', 'text', 'keep', 'cut'),
    (50, 'hki_utm_content', 'utm_content', '{utm,content}', 'text', 'keep', 'cut'),
    (60, 'hki_score', 'score', '{ml,score}', 'number', 'clear', 'cut'),
    (70, 'hki_status', 'stage', '{crm_status}', 'text', 'clear', 'cut'),
    (80, 'hki_lead_id', 'key', '{id}', 'text', 'clear', 'refuse'),
    (90, 'firstname', 'firstname', '{contact,first_name}', 'text', 'clear', 'cut'),
    (100, 'lastname', 'lastname', '{contact,last_name}', 'text', 'clear', 'cut'),
    (110, 'phone', 'phone', '{contact,phone}', 'text', 'clear', 'cut'),
    (120, 'company', 'company', '{contact,company}', 'text', 'clear', 'cut')
$$;

comment on function mautic.standard_fields() is 'The mapping that attach writes by itself.';

-- Of several sources that send one field, the one of the lowest rank says how.
create function mautic.read_fields()
returns setof mautic.field_map
language sql
stable
security definer
set search_path = ''
as $$
  with listed as (
    select distinct on (f.alias) f.*
    from mautic.field_map f
    join mautic.attachment a on a.source = f.source
    where f.expression is not null or f.part is not null
    order by f.alias, a.rank, a.source
  )
  select l.* from listed l
  union all
  -- upsert_contact needs no table.
  select 'lead', f.alias, f."from", null, null, '{}', f.type, f.part, f.when_blank, f.too_long, f.place, true
  from mautic.standard_fields() f
  where not exists (select from mautic.attachment)
  order by 11, 2
$$;

comment on function mautic.read_fields() is 'The contact fields that are sent, in the order of sending, each once.';
