-- An e-mail address: as it is compared, and as people may see it.

-- A number as Punycode writes it (RFC 3492): in digits to the base 36, of which each says by its size
-- whether it is the last.
create function mautic.punycode_number(p_number int, p_bias int)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  digits constant text := 'abcdefghijklmnopqrstuvwxyz0123456789';
  rest int := p_number;
  place int := 36;
  threshold int;
  encoded text := '';
begin
  loop
    threshold := least(greatest(place - p_bias, 1), 26);
    exit when rest < threshold;
    encoded := encoded || substr(digits, threshold + (rest - threshold) % (36 - threshold) + 1, 1);
    rest := (rest - threshold) / (36 - threshold);
    place := place + 36;
  end loop;
  return encoded || substr(digits, rest + 1, 1);
end
$$;

-- As punycode() in shared/lead/domain.ts: the label's ASCII characters, and for each other one the
-- distance that a decoder has to walk until it inserts it.
create function mautic.punycode(p_label text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  points constant int[] := array(select ascii(c) from string_to_table(p_label, null) c);
  basic constant text := coalesce(
    (select string_agg(chr(p), '' order by place) from unnest(points) with ordinality u(p, place) where p < 128), '');
  encoded text := basic || case when basic <> '' then '-' else '' end;
  handled int := length(basic);
  delta int := 0;
  bias int := 72;
  reached int := 128;
  rest int;
  next int;
  point int;
begin
  for next in select distinct p from unnest(points) p where p >= 128 order by p loop
    delta := delta + (next - reached) * (handled + 1);
    reached := next + 1;
    foreach point in array points loop
      if point < next then
        delta := delta + 1;
      elsif point = next then
        encoded := encoded || mautic.punycode_number(delta, bias);
        -- Distances are alike: the bias for the next one, by this one.
        rest := delta / case when handled = length(basic) then 700 else 2 end;
        rest := rest + rest / (handled + 1);
        bias := 0;
        while rest > 455 loop
          rest := rest / 35;
          bias := bias + 36;
        end loop;
        bias := bias + 36 * rest / (rest + 38);
        delta := 0;
        handled := handled + 1;
      end if;
    end loop;
    delta := delta + 1;
  end loop;
  return encoded;
end
$$;

comment on function mautic.punycode(text) is 'The Punycode of a label (RFC 3492), without xn--.';

-- As asciiDomain() in shared/lead/domain.ts, which says why; the domain as it is, where its letters have
-- no form in ASCII that is beyond doubt. Lower case by ICU, whatever the database's own locale.
create function mautic.ascii_domain(p_domain text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  mapped text collate "C" := normalize(
    lower(
      translate(
        normalize(translate(p_domain, U&'\3002\FF0E\FF61', '...'), NFKD),
        U&'\03A3\0345', U&'\03C3\03B9') collate "und-x-icu"),
    NFC);
begin
  if length(mapped) > 253
    or mapped ~ '[^a-z0-9.\u00a1-\U0010ffff-]'
    or p_domain collate "C" ~ ('[\u03f2\u13a0-\u13fd\u1c80-\u1cbf\u2c2f\ua7b8-\ua7f5\uab70-\uabbf\U00010570-\U000105ff'
      || '\U00010d50-\U00010d65\U00016e40-\U00016e5f\U0001ccd6-\U0001ccf9'
      || '\U0001d6d3\U0001d70d\U0001d747\U0001d781\U0001d7bb\U0001e030-\U0001e06d]')
  then
    return p_domain;
  end if;
  return (
    select string_agg(
      case when octet_length(label) = length(label) then label else 'xn--' || mautic.punycode(label) end,
      '.' order by place)
    from string_to_table(mapped, '.') with ordinality as l(label, place));
end
$$;

comment on function mautic.ascii_domain(text) is
  'A domain in ASCII, lower case: bücher.example is xn--bcher-kva.example.';

-- What shows nothing is listed, since a database does not know Unicode's properties; the sets are those
-- of shared/lead/text.ts. Called with collation C, so that ranges go by code point and lower() by ASCII.
create function mautic.normalize_pasted_address(p_address text)
returns text
language plpgsql
immutable
set search_path = ''
as $$
declare
  joiners constant text := '\u200c\u200d';
  invisible constant text := '\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e'
    || '\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a'
    || '\U000e0000-\U000e0fff';
  blank constant text := '[\u0001-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u2800\u3000'
    || joiners || invisible || ']';
  -- Looking behind makes a search begin once a run: else a long run of spaces takes quadratic time.
  surroundings constant text := '^' || blank || '+|(?<!' || blank || ')' || blank || '+$';
  -- After a letter of a script that joins (Arabic, Indic …) a joiner may be part of a name.
  stray_joiner constant text := '(?<![\u0600-\u1cff\u2d7f\ua800-\uabff\ufb1d-\ufefc\U00010800-\U0001efff])[' || joiners || ']';
  shown text := p_address;
  parts text[];
begin
  shown := regexp_replace(shown, surroundings, '', 'g');
  shown := regexp_replace(shown, '[' || invisible || ']', '', 'g');
  shown := regexp_replace(shown, stray_joiner, '', 'g');
  parts := regexp_match(shown, '^([^@]*@)([^@]*)$');
  if octet_length(parts[2]) > length(parts[2]) then
    shown := parts[1] || mautic.ascii_domain(parts[2]);
  end if;
  return lower(shown);
end
$$;

comment on function mautic.normalize_pasted_address(text) is
  'An e-mail address as it is compared, whatever it was pasted from. Callers use mautic.normalize_address().';

-- As normalizeAddress() in shared/lead/address.ts: two spellings must not be two people. Nearly all
-- addresses need lower case alone. Without a search path of its own Postgres writes this, and the next
-- one, into the calling statement: some 0.5 µs an address instead of 2.
create function mautic.normalize_address(p_address text)
returns text
language sql
immutable
as $$
  select case
    when p_address collate "C" ~ '[^!-~]' then mautic.normalize_pasted_address(p_address collate "C")
    else lower(p_address collate "C")
  end
$$;

comment on function mautic.normalize_address(text) is
  'An e-mail address as it is compared: without spaces around it and what shows nothing, in lower case, '
  'its domain in ASCII.';

-- What forms and imports write where there is no address. Not every text that is none: a mistyped one is
-- to be reported, not passed over.
create function mautic.address_of(p_address text)
returns text
language sql
immutable
as $$
  select case
    when mautic.normalize_address(p_address) in (
      '', '-', '--', '---', '.', '..', '...', '/', '?', '*', '_', '0', 'x', 'xx', 'xxx',
      'n/a', 'n.a.', 'n.a', 'na', '#n/a', 'nan', 'none', 'no', 'null', '(null)', 'nil', 'undefined', 'unknown',
      'no email', 'no e-mail', 'noemail',
      'k.a.', 'k. a.', 'k.a', 'ka', 'keine', 'keine angabe', 'keine e-mail', 'kein', 'unbekannt')
    then null
    else mautic.normalize_address(p_address)
  end
$$;

comment on function mautic.address_of(text) is
  'An e-mail address as it is compared; null where the text says that there is none (empty, n/a, none, -).';

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
