-- Sending a lead again by hand. A replay waits behind live changes.
create function mautic.replay(p_lead_id text, p_force boolean default false)
returns int
language plpgsql
volatile
security definer
set search_path = ''
as $$
declare
  correlation constant text := mautic.correlation_id();
  replayed int;
begin
  insert into mautic.lead_change (priority, lead_id, cause, force, correlation_id)
  select 1, l.lead_id, 'replay', p_force, correlation
  from mautic.read_leads(array[p_lead_id]) l;
  get diagnostics replayed = row_count;
  if replayed > 0 then
    perform mautic.ring_doorbell(correlation);
  end if;
  return replayed;
end
$$;

comment on function mautic.replay(text, boolean) is
  'Queues a lead again, a dead letter too; p_force sends all its fields, not only what changed. '
  'Returns 1, or 0 for a lead that does not exist.';
