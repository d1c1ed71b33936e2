-- A job for each row, added by a trigger in the row's own transaction, as graphile-worker's
-- documentation shows (https://worker.graphile.org/docs/sql-add-job). The row travels with the job,
-- so that the task need not read it.
create function public.add_lead_job() returns trigger
language plpgsql
as $$
begin
  perform graphile_worker.add_job('sync_lead', to_json(new));
  return new;
end
$$;

create trigger sync_lead after insert or update on public.leads
for each row execute function public.add_lead_job();
