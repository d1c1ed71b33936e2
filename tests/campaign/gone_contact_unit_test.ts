import assert from "node:assert/strict";
import { createDatabase } from "shared/database/database.ts";
import type { MauticContact } from "shared/mautic/contact_schema.ts";
import { silentLog } from "shared/runtime/log.ts";
import { applyEnrollment } from "../../supabase/functions/mautic-sync/outbound/enroll.ts";
import type { Unsettled } from "../../supabase/functions/mautic-sync/outbound/item.ts";
import { speakersOf } from "../../supabase/functions/mautic-sync/outbound/merged.ts";
import { outcome } from "../../supabase/functions/mautic-sync/outbound/outcome.ts";
import { prepare } from "../../supabase/functions/mautic-sync/outbound/prepare.ts";
import { startRun, type SyncContext } from "../../supabase/functions/mautic-sync/outbound/run.ts";
import { client } from "../mautic/support.ts";
import { leasedItem, syncSettings } from "../support/items.ts";
import { fieldMap, leadPayload } from "../support/payload.ts";

const settings = syncSettings({
  MAUTIC_ENROLLMENT_ENABLED: "true",
  MAUTIC_CAMPAIGN_HIGH_VALUE: "3",
});

/** Mautic's answer (recorded: campaign-404-add-contact). */
const notFound = { errors: [{ code: 404, message: "Item was not found.", details: [] }] };

/** A database that lets everybody enrol, and a Mautic that knows no contact and no campaign. */
function emptyMautic(): SyncContext {
  const { mautic, clock } = client(settings.baseUrl, {
    fetch: () => Promise.resolve(Response.json(notFound, { status: 404 })),
  });
  const database = createDatabase({
    url: "https://database.example.test",
    secretKey: "secret",
    timeoutMs: 1_000,
    fetch: (input) => {
      const isIntention = new Request(input).url.endsWith("/intend_enrollment");
      return Promise.resolve(Response.json(isIntention ? "new" : null));
    },
  });
  const run = startRun(settings);
  return { mautic, database, settings, clock, random: () => 0.5, log: silentLog, run };
}

/** A lead that is to be enrolled, saved after its batch had been answered 500 and halved. */
function savedAfterHalving(): Unsettled {
  const email = "vip@example.test";
  const payload = leadPayload("vip", { stage: "qualified", consent: true, score: 85 });
  const { work } = prepare(leasedItem("vip", { payload }), fieldMap, settings);
  assert.ok(work.state === "unsettled");
  const contact: MauticContact = { id: 7, fields: { email }, doNotContact: [], utmTags: [] };
  return {
    ...work,
    mayBeDone: true,
    reach: { stage: "saved", contactId: null, contact, created: true },
  };
}

Deno.test("a contact that is gone after its save was confirmed leaves nothing in doubt", async () => {
  const work = savedAfterHalving();
  const { works: [gone] } = await applyEnrollment([work], speakersOf([work]), emptyMautic());
  assert.ok(gone);
  assert.deepEqual(outcome(gone, silentLog), {
    lead_id: "vip",
    result: "gone",
    asked_contact_id: 7,
  });
});
