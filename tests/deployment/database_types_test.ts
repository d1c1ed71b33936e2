import assert from "node:assert/strict";
import { generateTypes, typesFile } from "../../dev/generate_types.ts";
import { createTestDatabase } from "../../dev/test_database.ts";

Deno.test("shared/database/types.ts is what the Supabase CLI generates from the migrations", async () => {
  await using database = await createTestDatabase();
  assert.ok(
    await Deno.readTextFile(typesFile) === await generateTypes(database.url),
    "The types are older than the migrations: run `deno task types`",
  );
});
