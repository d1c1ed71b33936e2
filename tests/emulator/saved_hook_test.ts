import assert from "node:assert/strict";
import { startWithCaller } from "./caller.ts";

Deno.test("onContactSaved() tells of each saved contact as it can be read, in a batch one by one", async () => {
  const seen: (string | undefined)[] = [];
  await using run = await startWithCaller({
    onContactSaved: (contact) => seen.push(contact.values.get("firstname")?.toString()),
  });
  const email = "one@example.test";
  await run.ask("POST", "/api/contacts/new", { email, firstname: "One" });
  await run.ask("POST", "/api/contacts/batch/new", [
    { email, firstname: "Two" },
    { email: "not an address", firstname: "Refused" },
    { email: "three@example.test", firstname: "Three" },
  ]);
  assert.deepEqual(seen, ["One", "Two", "Three"]);
});
