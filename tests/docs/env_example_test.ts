import assert from "node:assert/strict";

const root = new URL("../../", import.meta.url);

Deno.test("the example of the functions' settings names every variable they read, and no other", async () => {
  const example = await Deno.readTextFile(new URL("supabase/functions/.env.example", root));
  const shown = [...example.matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name);
  const sources = [...Deno.readDirSync(new URL("shared/settings/", root))]
    .map(({ name }) => Deno.readTextFileSync(new URL(`shared/settings/${name}`, root)));
  const read = [...sources.join("\n").matchAll(/"(MAUTIC_[A-Z_]+[A-Z])"/g)].map(([, name]) => name);
  assert.deepEqual([...new Set(shown)].sort(), [...new Set(read)].sort());
});
