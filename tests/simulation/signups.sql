-- A second source of the same people, of a higher rank: it says company and phone, and nothing of consent, stage or score.

set role postgres;

create table public.signup (
  id uuid primary key, email text, company text, phone text, updated_at timestamptz);

select mautic.attach('public.signup', source => 'signup', rank => 2);
select mautic.unmap_field('hki_lead_id', 'signup');

reset role;

create function simulation.note_signup() returns trigger language plpgsql security definer as $$
begin
  if tg_op = 'DELETE' then
    insert into simulation.version (lead_id, at) values ('signup:' || old.id, simulation.time_of(mautic.clock()));
  else
    insert into simulation.version (lead_id, address, payload, at)
    select l.lead_id, l.address, l.payload, simulation.time_of(mautic.clock())
    from mautic.read_leads(array['signup:' || new.id]) l;
  end if;
  return null;
end $$;
create trigger note_signup after insert or update or delete on public.signup
for each row execute function simulation.note_signup();

alter table public.signup set (autovacuum_enabled = off);
