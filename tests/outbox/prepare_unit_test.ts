import fc from "fast-check";
import assert from "node:assert/strict";
import { errorDescriptions } from "shared/errors/codes.ts";
import { silentLog } from "shared/runtime/log.ts";
import { unlessMissing } from "../../supabase/functions/mautic-sync/outbound/missing.ts";
import { outcome } from "../../supabase/functions/mautic-sync/outbound/outcome.ts";
import { prepare } from "../../supabase/functions/mautic-sync/outbound/prepare.ts";
import type { Unsettled, Work } from "../../supabase/functions/mautic-sync/outbound/item.ts";
import { payload as anyPayload } from "../support/arbitraries.ts";
import { leasedItem, syncSettings } from "../support/items.ts";
import { fieldMap, leadPayload } from "../support/payload.ts";

const settings = syncSettings();

function prepared(...given: Parameters<typeof leasedItem>): Work {
  const { work } = prepare(leasedItem(...given), fieldMap, settings);
  return work.state === "removal" ? assert.fail("a removal") : work;
}

function unsettled(...given: Parameters<typeof leasedItem>): Unsettled {
  const work = prepared(...given);
  return work.state === "unsettled" ? work : assert.fail(JSON.stringify(work.result));
}

const resultOf = (work: Work) => work.state === "settled" ? work.result : undefined;

Deno.test("a lead without an address is done as such, not a dead letter", () => {
  const payload = leadPayload("ann", { email: null, fields: { firstname: "Ann" } });
  for (const contact_id of [null, 7]) {
    const work = prepared("ann", { payload, address: null, contact_id, operation: "edit" });
    assert.deepEqual(resultOf(work), { result: "done", action: "without_address" });
    // Its link stays as it was: neither the address nor the time of this change is the contact's.
    assert.deepEqual(outcome(work, silentLog), {
      lead_id: "ann",
      result: "done",
      action: "without_address",
    });
  }
});

for (
  const [name, more, says] of [
    ["is none", { email: "removed" }, /^contact\.email must be of the form/],
    ["has characters that Mautic strips", { email: "josé@example.test" }, /^contact\.email has/],
    ["cannot be read", { email: null, unreadable: ["email"] }, /^contact\.email cannot be read\.$/],
  ] as const
) {
  Deno.test(`a lead whose address ${name} is a dead letter`, () => {
    const payload = leadPayload("ann", { ...more, unreadable: [...more.unreadable ?? []] });
    const result = resultOf(prepared("ann", { payload }));
    assert.deepEqual([result?.result, result?.error_code], ["dead", "invalid_email"]);
    assert.match(String(result?.error_message), says);
  });
}

Deno.test("a lead that the table does not hold, and that was not deleted as one, is a dead letter", () => {
  const result = resultOf(prepared("ann", { payload: null }));
  assert.deepEqual([result?.result, result?.error_code], ["dead", "invalid_lead"]);
});

Deno.test("what cannot be read in a row is silent, and the rest of it is sent", () => {
  const payload = leadPayload("ann", {
    fields: { firstname: "Ann" },
    unreadable: ["consent", "hki_score"],
  });
  const work = unsettled("ann", { payload, snapshot: { hki_score: 5 }, filled: ["hki_score"] });
  assert.deepEqual(work.fields.delta, {
    fields: { firstname: "Ann", email: "ann@example.test" },
    blanks: [],
  });
  assert.equal(unlessMissing(work), work);
});

Deno.test("a lead of which the table no longer gives something is sent and then waits, by name", () => {
  const payload = leadPayload("ann", {
    fields: { firstname: "Ann" },
    missing: ["phone", "consent"],
  });
  const work = unsettled("ann", { payload });
  assert.deepEqual(work.fields.delta.fields, { firstname: "Ann", email: "ann@example.test" });
  assert.deepEqual(resultOf(unlessMissing(work)), {
    result: "postponed",
    delay_ms: 600_000,
    error_code: "unreadable",
    error_message: "The table no longer gives phone, consent.",
    error_remedy: errorDescriptions.unreadable.remedy,
  });
  // What was sent is remembered all the same.
  const contact = {
    id: 7,
    fields: { firstname: "Ann", email: "ann@example.test" },
    doNotContact: [],
    utmTags: [],
  };
  const saved: Work = {
    ...work,
    reach: { stage: "saved", contactId: null, contact, created: true },
  };
  const { contact_id, filled, shows_lead, result } = outcome(unlessMissing(saved), silentLog);
  assert.deepEqual([contact_id, filled, shows_lead, result], [
    7,
    ["firstname", "email"],
    true,
    "postponed",
  ]);
});

Deno.test("a result that is worse than waiting stays, and a removal never waits for the table", () => {
  const payload = leadPayload("ann", { email: "removed", missing: ["phone"] });
  const dead = prepared("ann", { payload });
  assert.equal(unlessMissing(dead), dead);
  for (const result of ["retry", "ambiguous", "gone", "postponed"] as const) {
    const work = { ...dead, state: "settled" as const, result: { result }, blamed: null };
    assert.equal(unlessMissing(work), work);
  }
  const removed: Work = {
    ...dead,
    item: leasedItem("ann", { operation: "remove", payload }),
    state: "settled",
    result: { result: "done", action: "deleted" },
    blamed: null,
  };
  assert.equal(unlessMissing(removed), removed);
});

Deno.test("a lead whose address the table no longer gives is neither created nor edited", () => {
  const payload = leadPayload("ann", {
    email: null,
    fields: { firstname: "Ann" },
    missing: ["email"],
  });
  const work = prepared("ann", { payload, contact_id: 7, operation: "edit" });
  assert.deepEqual([resultOf(work)?.result, resultOf(work)?.error_code], [
    "postponed",
    "unreadable",
  ]);
});

Deno.test("what attempts may have brought is the lead's to blank, what it is silent about is not", () => {
  const attempt = leadPayload("ann", { fields: { phone: "1", company: "ACME", firstname: null } });
  const payload = leadPayload("ann", { fields: { phone: null, lastname: null } });
  const work = unsettled("ann", {
    payload,
    operation: "edit",
    contact_id: 7,
    attempted: [{ address: "ann@example.test", payload: attempt }, {
      address: null,
      payload: null,
    }],
  });
  assert.deepEqual(work.fields.known.filled, ["phone", "company", "email"]);
  assert.deepEqual(work.fields.delta.blanks, ["phone"]);
});

Deno.test("a lead that falls silent about a field has filled it all the same", () => {
  const work = unsettled("ann", {
    payload: leadPayload("ann", { fields: { firstname: "Ann", lastname: null } }),
    operation: "edit",
    contact_id: 7,
    filled: ["phone", "lastname"],
  });
  const contact = { id: 7, fields: { firstname: "Ann" }, doNotContact: [], utmTags: [] };
  const saved: Work = { ...work, reach: { stage: "saved", contactId: 7, contact, created: false } };
  assert.deepEqual(outcome(saved, silentLog).filled, ["phone", "firstname", "email"]);
});

Deno.test("prepare() is total, and sends nothing that the lead does not say", () => {
  const operation = fc.constantFrom("create", "edit", "look_up", "remove");
  fc.assert(fc.property(anyPayload, operation, (payload, operation) => {
    const item = leasedItem("ann", {
      payload,
      operation,
      contact_id: operation === "create" ? null : 7,
      filled: fieldMap.map(({ alias }) => alias),
    });
    const { work } = prepare(item, fieldMap, settings);
    if (work.fields === null) return;
    const { delta } = work.fields;
    for (const alias of [...Object.keys(delta.fields), ...delta.blanks]) {
      assert.ok(alias === "email" || Object.hasOwn(payload.fields, alias));
    }
  }));
});

for (const name of ["scope", "deleted"]) {
  Deno.test(`a lead of which it cannot be told whether it belongs in Mautic, for its ${name}, is not sent`, () => {
    const waiting = prepared("ann", { payload: leadPayload("ann", { missing: [name] }) });
    assert.deepEqual(
      [resultOf(waiting)?.result, resultOf(waiting)?.error_code],
      ["postponed", "unreadable"],
    );
    const named = prepared("ann", { payload: leadPayload("ann", { unreadable: [name] }) });
    assert.deepEqual(resultOf(named), { result: "done", action: "out_of_scope" });
  });
}
