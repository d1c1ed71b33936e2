import assert from "node:assert/strict";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { answer, client, recording, serve } from "./support.ts";

Deno.test("createContact() sends a bearer token, the correlation id and JSON of known length", async () => {
  await using server = serve(() => answer("contact-new"));
  const { mautic } = client(server.url);
  const { created, contact } = await mautic.createContact({ email: "ann@example.test" }, "trace-7");
  const [request] = server.requests;
  assert.ok(request);
  assert.equal(`${request.method} ${request.url.pathname}`, "POST /api/contacts/new");
  assert.equal(request.headers.get("Authorization"), "Bearer token-1");
  assert.equal(request.headers.get("X-Correlation-ID"), "trace-7");
  assert.equal(request.headers.get("Content-Length"), String(request.body.length));
  assert.deepEqual(JSON.parse(request.body), { email: "ann@example.test" });
  assert.equal(created, true);
  assert.equal(contact.fields["firstname"], "Ann");
  assert.deepEqual(contact.doNotContact, []);
});

Deno.test("createContact() tells a matched contact from a new one", async () => {
  await using server = serve(() => answer("contact-new-same-email-upserts"));
  const { created, contact } = await client(server.url).mautic.createContact({ email: "a@b.test" });
  assert.equal(created, false);
  assert.equal(contact.id, 1);
});

Deno.test("batchNew() gives one entry per item where an item failed in the middle", async () => {
  await using server = serve(() => answer("batch-new-mixed-valid-invalid"));
  const items = [{ email: "b1@example.test" }, { email: "invalid" }, { email: "b3@example.test" }];
  const [first, second, third] = await client(server.url).mautic.batchNew(items);
  assert.ok(first?.status === "saved" && first.created && first.contact.id === 13);
  assert.ok(second?.status === "failed");
  assert.equal(second.error.code, "validation_failed");
  assert.deepEqual(second.error.fieldErrors, { email: ["invalid is invalid."] });
  assert.ok(third?.status === "saved" && third.contact.fields["email"] === "b3@example.test");
});

Deno.test("batchNew() reads errors that come as a list", async () => {
  await using server = serve(() => answer("batch-new-all-invalid"));
  const entries = await client(server.url).mautic.batchNew([{ email: "x" }, { email: "y" }]);
  assert.deepEqual(
    entries.map((entry) => entry.status === "failed" && entry.error.message),
    ["Mautic answers 400: email: x is invalid.", "Mautic answers 400: email: y is invalid."],
  );
});

Deno.test("batchNew() tells duplicates in Mautic from other refusals", async () => {
  await using server = serve(() => answer("batch-new-with-duplicates-in-db"));
  const items = [{ email: "race1@example.test" }, { email: "afterdup@example.test" }];
  const [first, second] = await client(server.url).mautic.batchNew(items);
  assert.ok(first?.status === "failed" && first.error.code === "duplicate_contact");
  assert.ok(!first.error.retryable);
  assert.equal(second?.status, "saved");
});

Deno.test("batchEdit() goes by statusCodes: a failed contact is listed all the same", async () => {
  await using server = serve(() => answer("batch-patch-invalid-email-one"));
  const items = [{ id: 2, email: "bad" }, { id: 1, firstname: "StillOk2" }];
  const [first, second] = await client(server.url).mautic.batchEdit(items);
  assert.ok(first?.status === "failed" && first.error.code === "validation_failed");
  assert.ok(second?.status === "saved" && !second.created);
  assert.equal(second.contact.fields["firstname"], "StillOk2");
  assert.equal(server.requests[0]?.method, "PATCH");
});

Deno.test("batchEdit() tells a missing contact and a missing permission", async () => {
  await using server = serve((index) =>
    answer(index === 0 ? "batch-patch-missing-last-id" : "noperm-batch-patch")
  );
  const { mautic } = client(server.url);
  const missing = await mautic.batchEdit([{ id: 1 }, { id: 2 }, { id: 99999 }]);
  assert.deepEqual(missing.map(({ status }) => status), ["saved", "saved", "failed"]);
  assert.ok(missing[2]?.status === "failed" && missing[2].error.code === "not_found");
  const [denied] = await mautic.batchEdit([{ id: 1 }]);
  assert.ok(denied?.status === "failed" && denied.error.code === "forbidden");
});

Deno.test("batches that Mautic would garble are refused unsent, and empty ones cost nothing", async () => {
  await using server = serve(() => answer("batch-new-first-invalid"));
  const { mautic } = client(server.url);
  await assert.rejects(mautic.batchEdit([{ id: 1 }, { id: 1 }]), RangeError);
  await assert.rejects(mautic.batchEdit([{ id: NaN }]), RangeError);
  await assert.rejects(mautic.batchNew([{}]), RangeError);
  await assert.rejects(mautic.batchNew(Array(201).fill({ email: "a@b.test" })), RangeError);
  assert.deepEqual(await mautic.batchNew([]), []);
  assert.equal(server.requests.length, 0);
});

Deno.test("an item that a good batch answer leaves out may have been saved", async () => {
  await using server = serve(() =>
    Response.json({ contacts: [], statusCodes: [201] }, { status: 201 })
  );
  const [entry] = await client(server.url).mautic.batchNew([{ email: "a@b.test" }]);
  assert.ok(entry?.status === "failed" && entry.error.code === "bad_answer");
  assert.ok(entry.error.ambiguous);
});

Deno.test("findByEmail() asks for all addresses in one request and reads an empty list", async () => {
  await using server = serve((index) =>
    answer(index === 0 ? "contacts-search-email" : "contacts-list-empty-search")
  );
  const { mautic } = client(server.url);
  const found = await mautic.findByEmail(["u@example.test", "v@example.test"]);
  assert.deepEqual(found.map(({ id }) => id), [6]);
  const { searchParams } = server.requests[0]!.url;
  assert.equal(searchParams.get("where[0][expr]"), "in");
  assert.equal(searchParams.get("where[0][val]"), "u@example.test,v@example.test");
  assert.deepEqual(await mautic.findByEmail(["zzzz@example.test"]), []);
  assert.deepEqual(await mautic.findByEmail([]), []);
  assert.equal(server.requests.length, 2);
});

Deno.test("contactsByIds() asks for whole contacts by ids", async () => {
  await using server = serve(() => answer("contacts-search-email"));
  await client(server.url).mautic.contactsByIds([3, 1, 3]);
  const { searchParams } = server.requests[0]!.url;
  assert.deepEqual(Object.fromEntries(searchParams), { search: "ids:3,1", limit: "200" });
});

Deno.test("idsHolding() compares the stored numbers, in one request", async () => {
  await using server = serve(() => answer("contacts-search-email"));
  const { mautic } = client(server.url);
  assert.deepEqual(await mautic.idsHolding([6, 7, 6], "hki_score", [0.97, 0.4, 0.97]), [6]);
  const { searchParams } = server.requests[0]!.url;
  assert.deepEqual(Object.fromEntries(searchParams), {
    "where[0][col]": "id",
    "where[0][expr]": "in",
    "where[0][val]": "6,7",
    "where[1][col]": "hki_score",
    "where[1][expr]": "in",
    "where[1][val]": "0.97,0.4",
    limit: "200",
  });
});

Deno.test("getContact() gives do-not-contact entries of all channels", async () => {
  await using server = serve(() => answer("contact-get-with-dnc"));
  const { doNotContact } = await client(server.url).mautic.getContact(2);
  assert.deepEqual(doNotContact[0], { channel: "email", reason: 1, comments: "via form" });
  assert.deepEqual(doNotContact.map(({ channel }) => channel), ["email", "sms", "foo"]);
});

Deno.test("a contact without its do-not-contact list is not taken for one without entries", async () => {
  const { contact } = JSON.parse(await answer("contact-get").text());
  delete contact.doNotContact;
  await using server = serve(() => Response.json({ contact }));
  await assert.rejects(
    client(server.url).mautic.getContact(1),
    (error) => error instanceof MauticError && error.code === "bad_answer",
  );
});

Deno.test("do-not-contact entries and contacts may come as an object", async () => {
  const { contact } = JSON.parse(await answer("contact-get").text());
  contact.doNotContact = { 1: { channel: "email", reason: "2", comments: null } };
  delete contact.fields.all;
  await using server = serve(() => Response.json({ contact }));
  const read = await client(server.url).mautic.getContact(1);
  assert.deepEqual(read.doNotContact, [{ channel: "email", reason: 2, comments: null }]);
  assert.equal(typeof read.fields["email"], "string");
});

Deno.test("editContact() patches, and answers the survivor of a merge", async () => {
  await using server = serve(() => answer("contact-patch-merged-away-id"));
  const contact = await client(server.url).mautic.editContact(227, { firstname: "ghost" });
  assert.equal(contact.id, 231);
  assert.equal(server.requests[0]?.method, "PATCH");
  assert.equal(server.requests[0]?.url.pathname, "/api/contacts/227/edit");
});

Deno.test("native UTM tags and do-not-contact actions read answers without fields.all", async () => {
  const names = ["dnc-add-email", "dnc-remove-email", "edit-utm-add"];
  await using server = serve((index) => answer(names[index] ?? ""));
  const { mautic } = client(server.url);
  // What stands then, not what was sent.
  assert.deepEqual(await mautic.addDoNotContact(1, { reason: 3, comments: "ours" }), [
    { channel: "email", reason: 3, comments: "" },
  ]);
  assert.deepEqual(await mautic.removeDoNotContact(1), []);
  assert.deepEqual(await mautic.addUtm(1, { utm_source: "news" }), []);
  assert.deepEqual(server.requests.map(({ url, body }) => [url.pathname, body]), [
    ["/api/contacts/1/dnc/email/add", '{"reason":3,"comments":"ours"}'],
    ["/api/contacts/1/dnc/email/remove", "{}"],
    ["/api/contacts/1/utm/add", '{"utm_source":"news"}'],
  ]);
});

Deno.test("contacts carry their native UTM tag sets", async () => {
  const { contact } = JSON.parse(await answer("edit-utm-add").text());
  await using server = serve(() => Response.json({ contact }));
  const { utmTags } = await client(server.url).mautic.getContact(1);
  assert.deepEqual(utmTags, [{
    utm_source: "news",
    utm_medium: "email",
    utm_campaign: "spring",
    utm_term: "t",
    utm_content: "c",
  }]);
});

Deno.test("contactCampaigns() and addToCampaign() read and change membership", async () => {
  const names = ["contact-campaigns", "campaign-add-contact", "campaign-404-add-contact"];
  await using server = serve((index) => answer(names[index] ?? ""));
  const { mautic } = client(server.url);
  assert.deepEqual(await mautic.contactCampaigns(1), [1]);
  await mautic.addToCampaign(5, 1);
  assert.equal(server.requests[1]?.url.pathname, "/api/campaigns/5/contact/1/add");
  await assert.rejects(
    mautic.addToCampaign(99999, 1),
    (error) => error instanceof MauticError && error.code === "not_found",
  );
});

Deno.test("contactFields() and doNotContactStats() read lists of texts and gaps", async () => {
  await using server = serve((index) => answer(index === 0 ? "fields-contact-list" : "stats-dnc"));
  const { mautic } = client(server.url);
  assert.deepEqual((await mautic.contactFields()).map(({ alias }) => alias), [
    "title",
    "firstname",
  ]);
  const since = Date.UTC(2026, 10, 23, 8, 5, 30);
  const { total, rows } = await mautic.doNotContactStats({ since, afterId: 0, limit: 2 });
  assert.equal(total, 7);
  assert.deepEqual(rows[0], {
    id: 2,
    contactId: 2,
    reason: 1,
    channel: "email",
    comments: "via form",
    addedAt: "2026-11-23T08:05:36Z",
  });
  assert.equal(server.requests[1]?.url.searchParams.get("where[0][val]"), "2026-11-23 08:05:30");
});

Deno.test("a 200 of the statistics that holds errors is an error", async () => {
  await using server = serve(() =>
    Response.json({ errors: [{ message: "no access", code: 403, type: null }] })
  );
  await assert.rejects(
    client(server.url).mautic.doNotContactStats({ since: 0, afterId: 0, limit: 1 }),
    (error) => error instanceof MauticError && error.code === "forbidden",
  );
});

Deno.test("version() reads Mautic's version from the answer", async () => {
  await using server = serve(() => answer("rate-limit-1"));
  assert.deepEqual(await client(server.url).mautic.version(), { version: "5.1.1" });
});

for (
  const [name, code] of [
    ["contact-new-invalid-email", "validation_failed"],
    ["contact-new-when-duplicates-exist", "duplicate_contact"],
    ["contact-get-404", "not_found"],
    ["api-unknown-route", "bad_answer"],
    ["api-disabled", "api_disabled"],
    ["noperm-contacts-list", "forbidden"],
  ] as const
) {
  Deno.test(`the recorded ${name} is ${code}, asked for once`, async () => {
    const { response } = recording(name);
    await using server = serve(() => answer(name));
    await assert.rejects(client(server.url).mautic.editContact(1, {}), (error) => {
      assert.ok(error instanceof MauticError);
      assert.equal(error.code, code);
      assert.equal(error.status, response.status);
      assert.ok(!error.retryable && !error.ambiguous);
      return true;
    });
    assert.equal(server.requests.length, 1);
  });
}
