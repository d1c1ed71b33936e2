import assert from "node:assert/strict";
import {
  canariesIn,
  canary,
  formsOf,
  lookThrough,
  type Sighting,
} from "../../local/canary/canary.ts";
import { allowedPlaces, lookThroughDatabase } from "../../local/canary/stored_secrets.ts";
import { insertLead } from "../support/leads.ts";
import { testDatabase } from "../support/database.ts";
import { startSync } from "../support/sync.ts";
import { phone, random, wholeRun } from "./whole_run.ts";

/** What a person's own columns are, and why each of them has to hold an address or a phone number. */
const kept: Record<string, string> = {
  "public.leads.email": "the application's own data",
  "public.leads.phone": "the application's own data",
  "mautic.contact.address": "who a contact is: opt-outs by address find their lead",
  "mautic.contact.snapshot": "what Mautic confirmed: the next save sends only what differs",
  "mautic.contact_link.address":
    "under which name a lead is its contact: a move is told from a merge",
  "mautic.lead_state.address":
    "whose address is whose: an index on the application's table would be in its way",
  "mautic.outbox.attempted": "what a save of unknown outcome may have left in Mautic",
  "mautic.outbox.person_keys": "who is held: one person is never out twice",
  "mautic.webhook_delivery.body": "the delivery as it came, for replays; purged by age",
  "mautic.webhook_event.address": "whose event it is; purged by age where nobody is found",
};

/** The view of Vault's table that decrypts; it has no rows of its own. */
const decrypted = ["vault.decrypted_secrets.secret", "vault.decrypted_secrets.decrypted_secret"];
/** Where the one key of the doorbell is, once no ring waits. */
const vault = [
  ...decrypted,
  ...Object.keys(allowedPlaces).filter((place) => place !== "net.http_request_queue.headers"),
];

Deno.test("after everything that can happen, no secret and no address is where it should not be", async () => {
  await using run = await wholeRun();
  const { stack, secrets, personal, texts } = run;
  // The run did happen: all of these have something to say.
  for (const [where, text] of Object.entries(texts)) assert.ok(text.length > 100, where);

  const rows = await lookThroughDatabase(stack.admin, [...secrets, ...personal]);
  const sightings = [...lookThrough(texts, [...secrets, ...personal]), ...rows];
  const isSecret = (name: string) => secrets.some((each) => each.name === name);
  const excused = ({ where, canary: name }: Sighting) =>
    isSecret(name)
      ? name === "the secret key" && vault.includes(where)
      // The local Data API writes values into its statements, where PostgREST sends parameters.
      : where in kept || where === "pg_catalog: ran";
  assert.deepEqual(sightings.filter((each) => !excused(each)), []);

  // No exception outlives its reason, and the search does find.
  const used = new Set(sightings.map(({ where }) => where));
  assert.deepEqual([...Object.keys(kept), ...vault].filter((where) => !used.has(where)), []);
});

Deno.test("of a person who was erased nothing is left in any table", async () => {
  await using sync = await startSync();
  const address = `erased.${random()}@canary.test`;
  const canaries = [canary("the person", address), canary("the phone number", phone)];
  await insertLead(sync.sql, address, { phone, marketing_opt_in: true });
  await sync.drain();
  await insertLead(sync.sql, ` ${address.toUpperCase()}`, { phone, marketing_opt_in: false });
  await sync.sql`select mautic.receive_delivery(${`{"said of": "${address}"}`}, ${
    sync.sql.json([
      { address, contact_id: 1, kind: "bounced", detail: { comments: "gone" } },
    ])
  }, ${sync.mautic.url}, false, 'c')`;
  await sync.drain();
  assert.notDeepEqual(await lookThroughDatabase(sync.admin, canaries), []);
  await sync.sql`select mautic.erase(${address}, delete_leads => true)`;
  await sync.drain();
  await sync.skipWaits();
  await sync.drain();
  assert.equal(sync.mautic.contacts.size, 0);
  const left = await lookThroughDatabase(sync.admin, canaries);
  assert.deepEqual(left.filter(({ where }) => where !== "pg_catalog: ran"), []);
});

Deno.test("the search finds a canary in every form in which it may have been put down", async () => {
  const value = "ann/o'neil+x@canary.test";
  const canaries = [canary("ann", value)];
  const hex = Array.from(new TextEncoder().encode(value), (byte) => byte.toString(16)).join("");
  const texts = [
    `to ${value}.`,
    value.toUpperCase(),
    `?search=${encodeURIComponent(value)}`,
    JSON.stringify({ [value]: 1 }),
    `{"email":"${value.replace("/", "\\/")}"}`,
    `\\x6162${hex}63`,
    ...["", "a", "ab", "abc"].map((before) => btoa(`${before}${value}!`)),
    btoa(value).replaceAll("=", ""),
    btoa(value).replace(/(.{20})/g, "$1\n"),
    JSON.stringify(btoa(value).replace(/(.{20})/g, "$1\r\n")),
  ];
  for (const text of texts) assert.deepEqual(canariesIn(text, canaries), ["ann"], text);
  assert.deepEqual(canariesIn("a***@c***.test", canaries), []);
  assert.ok(formsOf(value).every((form) => form.length >= 20));

  await using db = await testDatabase();
  await db.sql`create schema later`;
  await db.sql`create table later.planted (id int, at bytea, more jsonb, list text[])`;
  await db.sql`insert into later.planted values
    (1, convert_to(${value}, 'UTF8'), ${db.sql.json({ deep: [{ [value]: 1 }] })}, array[${value}])`;
  const found = await lookThroughDatabase(db.admin, canaries);
  const where = found.map((each) => each.where).filter((each) => each.startsWith("later"));
  assert.deepEqual(where.sort(), ["at", "list", "more"].map((name) => `later.planted.${name}`));
});
