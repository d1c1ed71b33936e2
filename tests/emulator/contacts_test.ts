import assert from "node:assert/strict";
import type { Json } from "../../local/mautic/types.ts";
import { recording } from "../mautic/support.ts";
import { at, startWithCaller } from "./caller.ts";

const email = "a@example.test";

/** Existing reason, the reason added, with a channelId or not, what is there afterwards. */
const precedence: [existing: number, added: number, channelId: number | null, after: number][] = [
  [3, 1, null, 1],
  [3, 2, null, 2],
  [2, 3, null, 3],
  [2, 1, null, 1],
  [1, 2, null, 1],
  [1, 3, null, 1],
  [2, 1, 7, 2],
  [3, 1, 7, 3],
  [2, 2, null, 2],
];

for (const [existing, added, channelId, after] of precedence) {
  const by = channelId === null ? "" : " with a channelId";
  Deno.test(`do-not-contact reason ${added} added${by} to ${existing} leaves ${after}`, async () => {
    await using run = await startWithCaller();
    await run.ask("POST", "/api/contacts/new", { email });
    await run.ask("POST", "/api/contacts/1/dnc/email/add", { reason: existing, comments: "old" });
    const body = { reason: added, comments: "new", ...(channelId === null ? {} : { channelId }) };
    const answer = await run.ask("POST", "/api/contacts/1/dnc/email/add", body);
    const [entry, ...others] = run.mautic.contacts.get(1)?.doNotContact ?? [];
    assert.equal(answer.status, 200);
    assert.deepEqual(others, []);
    assert.equal(entry?.reason, after);
    assert.equal(entry?.comments, existing === after ? "old" : "new");
  });
}

Deno.test("doNotContact in a body follows the same precedence and removes by reason 0", async () => {
  await using run = await startWithCaller();
  const save = async (reason: number) => {
    const doNotContact = [{ channel: "email", reason, comments: `r${reason}` }];
    const { body } = await run.ask("POST", "/api/contacts/batch/new", [{ email, doNotContact }]);
    return at(body, "contacts", 0, "doNotContact", 0, "reason") ?? null;
  };
  assert.deepEqual([await save(3), await save(2), await save(1), await save(3), await save(0)], [
    3,
    2,
    1,
    1,
    null,
  ]);
});

Deno.test("a merge drops the loser's do-not-contact rows, and its id leads to the winner", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/batch/new", [{ email }, { email: "b@example.test" }]);
  await run.mautic.unsubscribe(email);
  await run.mautic.mergeContacts(1, 2);
  const { status, body } = await run.ask("GET", "/api/contacts/1");
  assert.deepEqual([status, at(body, "contact", "id")], [200, 2]);
  assert.deepEqual(at(body, "contact", "doNotContact"), []);
  const listed = await run.ask("GET", "/api/contacts?search=ids:1,2&limit=200");
  assert.deepEqual(Object.keys(Object(listed.body.contacts)), ["2"]);
});

Deno.test("deleted contacts are 404", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  await run.mautic.deleteContact(1);
  assert.equal((await run.ask("GET", "/api/contacts/1")).status, 404);
  assert.equal((await run.ask("PATCH", "/api/contacts/1/edit", { firstname: "x" })).status, 404);
});

Deno.test("text fields and e-mail take 64 characters, other text is refused with 400", async () => {
  await using run = await startWithCaller();
  const save = async (body: Json) => (await run.ask("POST", "/api/contacts/new", body)).status;
  const local = "x".repeat(64 - "@example.test".length);
  assert.equal(await save({ email: `${local}@example.test` }), 201);
  assert.equal(await save({ email: `${local}y@example.test` }), 400);
  assert.equal(await save({ email, firstname: "f".repeat(64), hki_status: "s".repeat(64) }), 201);
  assert.equal(await save({ email, firstname: "f".repeat(65) }), 400);
  assert.equal(await save({ email, hki_status: "s".repeat(65) }), 400);
});

Deno.test("the field limit of the emulated server can be raised, as an administrator does", async () => {
  await using run = await startWithCaller({ characterLimit: 191 });
  const body = { email, firstname: "f".repeat(191) };
  assert.equal((await run.ask("POST", "/api/contacts/new", body)).status, 201);
});

for (const zero of [0, "0", "0.0"]) {
  Deno.test(`a number field ignores ${JSON.stringify(zero)} and keeps its value`, async () => {
    await using run = await startWithCaller();
    await run.ask("POST", "/api/contacts/new", { email, hki_score: 5 });
    const body = { hki_score: zero, overwriteWithBlank: true };
    const answer = await run.ask("PATCH", "/api/contacts/1/edit", body);
    assert.equal(at(answer.body, "contact", "fields", "all", "hki_score"), 5);
  });
}

for (const path of ["/api/contacts/1/edit", "/api/contacts/batch/edit"]) {
  Deno.test(`a number field emptied through ${path} is answered as 0 and read as null`, async () => {
    await using run = await startWithCaller();
    await run.ask("POST", "/api/contacts/new", { email, hki_score: 5, hki_status: "new" });
    const blank = { hki_score: "", overwriteWithBlank: true };
    const isBatch = path.includes("batch");
    const answer = await run.ask("PATCH", path, isBatch ? [{ id: 1, ...blank }] : blank);
    const contact = isBatch ? at(answer.body, "contacts", 0) : at(answer.body, "contact");
    assert.equal(at(contact, "fields", "all", "hki_score"), 0);
    const { body } = await run.ask("GET", "/api/contacts/1");
    assert.equal(at(body, "contact", "fields", "all", "hki_score"), null);
    assert.equal(at(body, "contact", "fields", "all", "hki_status"), "new");
  });
}

Deno.test("batch/new with overwriteWithBlank empties what a matched contact was not sent", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email, firstname: "A", hki_status: "new" });
  await run.ask("POST", "/api/contacts/batch/new", [
    { email, hki_status: "won", overwriteWithBlank: true },
  ]);
  const { values } = run.mautic.contacts.get(1) ?? {};
  assert.deepEqual([values?.get("firstname"), values?.get("hki_status")], [undefined, "won"]);
});

Deno.test("a number's fraction is stored, and cut in the API's answers", async () => {
  await using run = await startWithCaller();
  const { body } = await run.ask("POST", "/api/contacts/new", { email, hki_score: "87.25" });
  assert.equal(at(body, "contact", "fields", "all", "hki_score"), 87);
  assert.equal(run.mautic.contacts.get(1)?.values.get("hki_score"), 87.25);
});

Deno.test("the bare utm_ aliases are dropped silently and cannot be made fields", async () => {
  await using run = await startWithCaller();
  const { body } = await run.ask("POST", "/api/contacts/new", { email, utm_source: "x" });
  assert.equal(at(body, "contact", "fields", "all", "utm_source"), undefined);
  const field = { label: "Source", alias: "utm_source", type: "text" };
  assert.equal((await run.ask("POST", "/api/fields/contact/new", field)).status, 400);
});

Deno.test("utm/add adds a set each time, utm/remove takes one away", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  await run.ask("POST", "/api/contacts/1/utm/add", { utm_source: "news" });
  const { body } = await run.ask("POST", "/api/contacts/1/utm/add", { utm_source: "news" });
  assert.deepEqual(at(body, "contact", "utmtags"), [
    { id: 1, query: {}, utmSource: "news" },
    { id: 2, query: {}, utmSource: "news" },
  ]);
  const removed = await run.ask("POST", "/api/contacts/1/utm/1/remove");
  assert.equal(removed.body.recordFound, true);
  assert.equal(run.mautic.contacts.get(1)?.utmTags.length, 1);
  assert.equal((await run.ask("POST", "/api/contacts/1/utm/9/remove")).status, 400);
});

Deno.test("a campaign starts over for a member only where it allows a restart", async () => {
  await using run = await startWithCaller({
    campaigns: [{ name: "Once" }, { name: "Again", allowRestart: true }],
  });
  await run.ask("POST", "/api/contacts/new", { email });
  for (const campaign of [1, 2]) {
    await run.ask("POST", `/api/campaigns/${campaign}/contact/1/add`);
    await run.ask("POST", `/api/campaigns/${campaign}/contact/1/add`);
  }
  const rotations = [1, 2].map((id) => run.mautic.campaignMembers(id)[0]?.rotation);
  assert.deepEqual(rotations, [1, 2]);
  const stats = await run.ask(
    "GET",
    "/api/stats/campaign_leads?where[0][col]=lead_id&where[0][expr]=eq&where[0][val]=1",
  );
  assert.equal(stats.body.total, "2");
  assert.equal(at(stats.body, "stats", 1, "rotation"), "2");
});

Deno.test("stats of do-not-contact rows filter by contact and date, and page in order", async () => {
  await using run = await startWithCaller();
  const emails = ["a", "b", "c"].map((name) => `${name}@example.test`);
  await run.ask("POST", "/api/contacts/batch/new", emails.map((email) => ({ email })));
  for (const address of emails) await run.mautic.unsubscribe(address, 4);
  const ids = async (query: string) => {
    const { body } = await run.ask("GET", `/api/stats/lead_donotcontact?${query}`);
    const rows = Array.isArray(body.stats) ? body.stats : [];
    return rows.map((row) => at(row, "lead_id"));
  };
  const where = (col: string, expr: string, val: string) =>
    `where[0][col]=${col}&where[0][expr]=${expr}&where[0][val]=${encodeURIComponent(val)}`;
  assert.deepEqual(await ids(where("lead_id", "in", "1,3")), ["1", "3"]);
  assert.deepEqual(await ids(where("lead_id", "eq", "2")), ["2"]);
  assert.deepEqual(await ids(where("date_added", "gte", "2000-01-01 00:00:00")), ["1", "2", "3"]);
  assert.deepEqual(await ids(where("date_added", "gte", "2999-01-01 00:00:00")), []);
  assert.deepEqual(await ids("order[0][col]=id&order[0][dir]=desc&start=1&limit=1"), ["2"]);
  const { body } = await run.ask("GET", "/api/stats/lead_donotcontact?limit=1");
  assert.equal(at(body, "stats", 0, "channel_id"), "4");
  const wrong = await run.ask("GET", `/api/stats/lead_donotcontact?${where("nosuch", "eq", "1")}`);
  assert.deepEqual([wrong.status, at(wrong.body, "errors", 0, "code")], [200, 1054]);
});

Deno.test("contacts are found by several addresses at once, whatever their case", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/batch/new", [
    { email: "Ana@example.test" },
    { email: "b@example.test" },
    { email: "c@example.test" },
  ]);
  const query = "where[0][col]=email&where[0][expr]=in&where[0][val]=" +
    encodeURIComponent("ana@example.test,C@example.test");
  const { body } = await run.ask("GET", `/api/contacts?${query}`);
  assert.equal(body.total, "2");
  assert.deepEqual(Object.keys(Object(body.contacts)), ["1", "3"]);
});

Deno.test("ten thousand contacts are found by address and id among themselves", async () => {
  await using run = await startWithCaller();
  for (let batch = 0; batch < 50; batch++) {
    const items = Array.from({ length: 200 }, (_, index) => ({
      email: `bulk${batch * 200 + index}@example.test`,
    }));
    await run.ask("POST", "/api/contacts/batch/new", items);
  }
  assert.equal(run.mautic.contacts.size, 10_000);
  const found = await run.ask("GET", "/api/contacts?search=ids:9999,17,10000&limit=200&minimal=1");
  assert.deepEqual(Object.keys(Object(found.body.contacts)), ["17", "9999", "10000"]);
  assert.deepEqual(run.mautic.duplicateEmails(), []);
});

Deno.test("the request log holds method, path, items, status and correlation id", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/batch/new", [{ email }, { email: "b@example.test" }]);
  const entry = run.mautic.requests.at(-1);
  assert.deepEqual(
    [entry?.method, entry?.path, entry?.itemCount, entry?.status, entry?.correlationId],
    ["POST", "/api/contacts/batch/new", 2, 201, null],
  );
});

/** What Mautic says of a company without its name: contacts are checked by the same form. */
function recordedRefusal(name: string, ...path: (string | number)[]): Json {
  const body = at(JSON.parse(JSON.stringify(recording(name).response.body)), ...path);
  return JSON.parse(JSON.stringify(body).replaceAll("companyname", "branche"));
}

Deno.test("a required field is asked of a new contact, single and in a batch, as it was recorded of companies", async () => {
  await using run = await startWithCaller();
  run.mautic.addField({ alias: "branche", isRequired: true });
  const single = await run.ask("POST", "/api/contacts/new", { email });
  assert.equal(single.status, recording("company-new-no-name").response.status);
  assert.deepEqual(single.body, recordedRefusal("company-new-no-name"));
  const blank = await run.ask("POST", "/api/contacts/new", { email, branche: " " });
  assert.equal(blank.status, 400);
  const { status, body } = await run.ask("POST", "/api/contacts/batch/new", [
    { email: "b@example.test", branche: "Bau" },
    { email },
  ]);
  assert.equal(status, recording("company-batch-new").response.status);
  assert.deepEqual(at(body, "statusCodes"), [201, 400]);
  assert.deepEqual(at(body, "errors", "1"), recordedRefusal("company-batch-new", "errors", "1"));
});

Deno.test("an edit, and an item of batch/new that meets a contact, is asked only for what it blanks", async () => {
  await using run = await startWithCaller();
  run.mautic.addField({ alias: "branche" });
  await run.ask("POST", "/api/contacts/new", { email });
  run.mautic.requireField("branche", true);
  const edited = await run.ask("PATCH", "/api/contacts/1/edit", { firstname: "Ann" });
  assert.equal(edited.status, 200);
  const met = await run.ask("POST", "/api/contacts/batch/new", [{ email, firstname: "Bea" }]);
  assert.deepEqual(at(met.body, "statusCodes"), [200]);
  const blanked = await run.ask("PATCH", "/api/contacts/1/edit", {
    branche: "",
    overwriteWithBlank: true,
  });
  assert.equal(blanked.status, 400);
  run.mautic.requireField("branche", false);
  assert.equal(
    (await run.ask("POST", "/api/contacts/new", { email: "n@example.test" })).status,
    201,
  );
});

Deno.test("the list of fields tells which are required", async () => {
  await using run = await startWithCaller();
  run.mautic.requireField("phone", true);
  const { body } = await run.ask("GET", "/api/fields/contact?limit=1000");
  const fields = Object.values(Object(at(body, "fields")));
  const required = fields.filter((field) => Object(field).isRequired)
    .map((field) => Object(field).alias);
  assert.deepEqual(required, ["phone"]);
});
