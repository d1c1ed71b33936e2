import assert from "node:assert/strict";
import { standardFields } from "shared/lead/standard_fields.ts";
import { testDatabase } from "../support/database.ts";

/** Mautic brings these along: nobody makes or names them. */
const mauticsOwn = ["firstname", "lastname", "phone", "company"];

Deno.test("the standard fields that set-up makes are those that attach maps", async () => {
  await using db = await testDatabase();
  const mapped = await db.sql<{ alias: string; part: string }[]>`
    select alias, "from" as part from mautic.standard_fields() order by place`;
  assert.deepEqual(
    mapped.filter(({ alias }) => !mauticsOwn.includes(alias)),
    standardFields.map(({ alias, part }) => ({ alias, part })),
  );
  assert.deepEqual(
    mapped.filter(({ alias, part }) => alias === part).map(({ alias }) => alias),
    mauticsOwn,
  );
});
