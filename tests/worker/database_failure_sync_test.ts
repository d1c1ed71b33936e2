import assert from "node:assert/strict";
import { insertLead, outbox } from "../support/leads.ts";
import { startSync, type Sync } from "../support/sync.ts";

const highValue = { crm_status: "qualified", marketing_opt_in: true, ml_score: 85 };

/** Lets mautic.intend_enrollment() fail with this SQLSTATE, for a contact or for all. */
async function breakIntentions(sync: Sync, code: string, contactId?: number): Promise<void> {
  await sync.sql.unsafe(`
    alter function mautic.intend_enrollment(text, bigint, bigint, text, text, int) rename to working_intention;
    create function mautic.intend_enrollment(
      p_origin text, p_campaign_id bigint, p_contact_id bigint, p_lead_id text, p_correlation_id text,
      p_hold_ms int
    ) returns text language plpgsql security definer set search_path = '' as $$
    begin
      if ${contactId === undefined ? "true" : `p_contact_id = ${contactId}`} then
        raise exception 'planted' using errcode = '${code}';
      end if;
      return mautic.working_intention(p_origin, p_campaign_id, p_contact_id, p_lead_id, p_correlation_id, p_hold_ms);
    end $$;
    grant execute on function mautic.intend_enrollment(text, bigint, bigint, text, text, int) to service_role;`);
}

async function mendIntentions(sync: Sync): Promise<void> {
  await sync.sql.unsafe(`
    drop function mautic.intend_enrollment(text, bigint, bigint, text, text, int);
    alter function mautic.working_intention(text, bigint, bigint, text, text, int) rename to intend_enrollment;`);
}

function members(sync: Sync): number {
  return sync.mautic.campaignMembers(sync.mautic.campaignId).length;
}

Deno.test("leads whose batch met a database out of order are settled, and done later, once", async () => {
  await using sync = await startSync();
  await insertLead(sync.sql, "vip@example.test", highValue);
  await insertLead(sync.sql, "low@example.test");
  await breakIntentions(sync, "57P03");
  await sync.drain();
  assert.deepEqual(
    (await outbox(sync.sql)).map((row) => [row.state, row.error_code]),
    [["waiting", "database_unavailable"]],
  );
  assert.equal((await sync.sql`select from mautic.sending where halts > 0`).count, 0);

  await mendIntentions(sync);
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(await outbox(sync.sql), []);
  assert.equal(members(sync), 1);
  assert.equal(sync.mautic.contacts.size, 2);
});

Deno.test("a lead on which the database fails alone does not keep the others of its batch", async () => {
  await using sync = await startSync();
  for (const name of ["one", "two", "three"]) {
    await insertLead(sync.sql, `${name}@example.test`, highValue);
  }
  await breakIntentions(sync, "22023", 1);
  await sync.drain();
  assert.equal(members(sync), 2);
  assert.equal((await outbox(sync.sql)).length, 1);
});

Deno.test("an opt-out that comes while our own entry is lifted is put back, be the database away meanwhile", async () => {
  await using sync = await startSync();
  const id = await insertLead(sync.sql, "shy@example.test", { marketing_opt_in: false });
  await sync.drain();
  await sync.sql`update public.leads set marketing_opt_in = true where id = ${id}`;
  // The lead opts out right after the first reading; the second one, after the lift, does not come back.
  await sync.sql.unsafe(`
    alter function mautic.read_email_status(text, bigint, text) rename to working_status;
    create function mautic.read_email_status(p_origin text, p_contact_id bigint, p_lead_id text) returns text
    language plpgsql security definer set search_path = '' as $$
    begin
      if exists (select from public.leads where id::text = p_lead_id and email_status = 'unsubscribed') then
        raise exception 'planted' using errcode = '57P03';
      end if;
      update public.leads set email_status = 'unsubscribed' where id::text = p_lead_id;
      return null;
    end $$;
    grant execute on function mautic.read_email_status(text, bigint, text) to service_role;`);
  await sync.drain();
  assert.deepEqual((await outbox(sync.sql)).map((row) => row.state), ["waiting"]);
  await sync.sql.unsafe(`
    drop function mautic.read_email_status(text, bigint, text);
    alter function mautic.working_status(text, bigint, text) rename to read_email_status;`);
  await sync.skipWaits();
  await sync.drain();
  assert.deepEqual(
    sync.mautic.contactByEmail("shy@example.test")?.doNotContact.map((entry) => entry.reason),
    [1],
  );
});
