import assert from "node:assert/strict";
import { isAllowed } from "../../dev/dependencies/licenses.ts";
import {
  installedLicense,
  lockedPackages,
  packagesOfFunctions,
} from "../../dev/dependencies/packages.ts";

interface Listed {
  id: string;
  license: string;
  inFunctions: boolean;
}

const remedy = "Run `deno task dependencies` and look at what it changed.";

/** The rows of docs/dependencies.md. */
async function listed(): Promise<Listed[]> {
  const page = await Deno.readTextFile(new URL("../../docs/dependencies.md", import.meta.url));
  return page.split(/^## /m).slice(1).flatMap((section) =>
    [...section.matchAll(/^\| ([^ |]+) +\| (\d[^ |]*) +\| ([^|]+?) +\|$/gm)].map((
      [, name, version, license = ""],
    ) => ({ id: `${name}@${version}`, license, inFunctions: section.startsWith("In the edge") }))
  );
}

Deno.test("the page of dependencies lists the packages of the lock file, to the version", async () => {
  const ids = (await listed()).map(({ id }) => id).sort();
  assert.deepEqual(ids, await lockedPackages(), remedy);
});

Deno.test("the page of dependencies tells what is deployed from what is not", async () => {
  const deployed = (await listed()).filter((each) => each.inFunctions).map(({ id }) => id);
  assert.deepEqual(deployed.sort(), [...await packagesOfFunctions()].sort(), remedy);
});

Deno.test("every licence is the package's own, and one of those allowed", async () => {
  let compared = 0;
  for (const { id, license, inFunctions } of await listed()) {
    assert.ok(isAllowed(license, { inFunctions }), `${id} is under ${license}`);
    const own = await installedLicense(id);
    // Packages of other platforms are not here.
    if (own === undefined) continue;
    assert.equal(license, own, `${id}. ${remedy}`);
    compared++;
  }
  assert.ok(compared > 0);
});

Deno.test("a licence is allowed by its name, whatever else is on offer", () => {
  const use = { inFunctions: true };
  for (const license of ["MIT", "(MIT OR GPL-3.0-only)", "Apache-2.0 AND MIT", "ISC"]) {
    assert.equal(isAllowed(license, use), true, license);
  }
  for (
    const license of [
      ...["GPL-3.0-only", "AGPL-3.0", "MIT AND GPL-2.0-only", "SEE LICENSE IN LICENSE", "unknown"],
      ...["", "UNLICENSED", "Unlicense", "BUSL-1.1"],
    ]
  ) assert.equal(isAllowed(license, use), false, license);
  assert.equal(isAllowed("Unlicense", { inFunctions: false }), true);
});
