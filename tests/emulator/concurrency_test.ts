import assert from "node:assert/strict";
import { startWithCaller } from "./caller.ts";

const email = "Twin@example.test";

Deno.test("saves of one new address that meet create duplicates, and every later save answers 422", async () => {
  await using run = await startWithCaller();
  run.mautic.holdSaves(3);
  const answers = await Promise.all(
    [1, 2, 3].map((number) =>
      run.ask("POST", "/api/contacts/new", { email, firstname: `T${number}` })
    ),
  );
  assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201]);
  assert.deepEqual(run.mautic.duplicateEmails(), ["twin@example.test"]);
  assert.equal(run.mautic.contactsCreated(), 3);
  const later = [
    await run.ask("POST", "/api/contacts/new", { email }),
    await run.ask("PATCH", "/api/contacts/1/edit", { lastname: "x" }),
    await run.ask("PUT", "/api/contacts/2/edit", { email }),
  ];
  assert.deepEqual(later.map(({ status }) => status), [422, 422, 422]);
});

Deno.test("a batch and a single save of one address that meet create a duplicate", async () => {
  await using run = await startWithCaller();
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("POST", "/api/contacts/batch/new", [{ email }]),
    run.ask("POST", "/api/contacts/new", { email }),
  ]);
  assert.equal(run.mautic.duplicateEmails().length, 1);
});

Deno.test("overlappingWrites() reports two writes for one person, by address and by id", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  assert.deepEqual(run.mautic.overlappingWrites(), []);
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("PATCH", "/api/contacts/batch/edit", [{ id: 1, firstname: "a" }]),
    run.ask("POST", "/api/contacts/new", { email: email.toUpperCase(), firstname: "b" }),
  ]);
  const persons = run.mautic.overlappingWrites().map(({ person }) => person);
  assert.deepEqual(persons, ["email:twin@example.test"]);
});

Deno.test("overlappingWrites() says nothing of different people or of reads", async () => {
  await using run = await startWithCaller();
  await run.ask("POST", "/api/contacts/new", { email });
  run.mautic.holdSaves(2);
  await Promise.all([
    run.ask("PATCH", "/api/contacts/1/edit", { firstname: "a" }),
    run.ask("GET", "/api/contacts/1"),
    run.ask("POST", "/api/contacts/new", { email: "other@example.test" }),
  ]);
  assert.deepEqual(run.mautic.overlappingWrites(), []);
  assert.ok(run.mautic.maximumInFlight() >= 2);
});
