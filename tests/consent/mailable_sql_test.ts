import assert from "node:assert/strict";
import { isMailable } from "shared/consent/email_status.ts";
import { testDatabase } from "../support/database.ts";
import { insertLead } from "../support/leads.ts";

const statuses = [null, "subscribed", "unsubscribed", "bounced", "complained", "unreadable", ""];

Deno.test("functions, SQL and the triggers agree on which email_status allows mail", async () => {
  await using db = await testDatabase();
  for (const status of statuses) {
    const [row] = await db.sql<{ mailable: boolean }[]>`
      select mautic.is_mailable(${status}) as mailable`;
    assert.equal(row?.mailable, isMailable(status), `${status}`);

    // Whoever becomes mailable is looked at again; who is, or stays barred, is not.
    const id = await insertLead(db.sql, "a@example.test", { email_status: "bounced" });
    await db.sql`delete from mautic.lead_change`;
    await db.sql`update public.leads set email_status = ${status} where id = ${id}`;
    const changes = await db.sql`select from mautic.logged_lead where lead_id = ${id}`;
    assert.equal(changes.count === 1, isMailable(status), `${status}`);
    await db.sql`delete from public.leads`;
  }
});
