-- An e-mail address: as it is compared, and as people may see it.

-- As normalizeAddress() in shared/lead/address.ts: an import leaves tabs, line ends and byte order marks, a
-- copied page no-break spaces. Two spellings must not be two people.
create function mautic.normalize_address(p_address text)
returns text
language sql
immutable
set search_path = ''
as $$
  select lower(btrim(p_address, E' \t\n\r\u00a0\ufeff'))
$$;

comment on function mautic.normalize_address(text) is
  'An e-mail address as it is compared: trimmed, lower case.';

-- Addresses as operators see them: j***@e***.com. As maskAddresses() in shared/lead/address.ts.
create function mautic.mask(p_text text)
returns text
language sql
immutable
set search_path = ''
as $$
  select case when p_text ~ '@|%40' then
    regexp_replace(
      p_text,
      '([^\s"''<>()\[\],;:\\/=?&@]?)[^\s"''<>()\[\],;:\\/=?&@]*(?:@|%40)'
        || '([^\s"''<>()\[\],;:\\/=?&@%.])[^\s"''<>()\[\],;:\\/=?&@%.]*'
        || '(?:[^\s"''<>()\[\],;:\\/=?&@%]*(\.[[:alnum:]-]+))?',
      '\1***@\2***\3', 'gi')
  else p_text end;
$$;

comment on function mautic.mask(text) is 'Masks every e-mail address within a text.';
