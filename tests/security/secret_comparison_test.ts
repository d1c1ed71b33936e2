import assert from "node:assert/strict";
import plugin from "../../dev/lint/secret_comparison.ts";

/** Lines that compare what is called a secret by other means, by file: read, and found harmless. */
const exceptions: Record<string, number> = {
  // What a person configured here against what he configured in Mautic or Vault.
  "cli/doctor/webhook.ts": 2,
  "cli/setup/plan.ts": 3,
  // The emulated Mautic, on loopback.
  "local/mautic/oauth.ts": 2,
  // What a sealed text begins with names its format.
  "shared/mautic/token/seal.ts": 1,
  // Our own access token, from memory: is it still the same?
  "shared/mautic/token/cache.ts": 1,
};

function reports(source: string, filename = "/supabase/functions/f/handler.ts"): string[] {
  return Deno.lint.runPlugin(plugin, filename, source).map(({ message }) => message);
}

const bad = [
  "if (given === secret) allow();",
  "if (secret !== given) throw new Error();",
  "const ok = request.headers.get('apikey') == expected;",
  "const ok = expected === request.headers.get('Authorization');",
  "const ok = new URL(request.url).searchParams.get('secret') === wanted;",
  "const ok = keys.includes(given);",
  "const ok = acceptedKeys.has(given);",
  "const ok = given.startsWith(env.MAUTIC_CLIENT_SECRET);",
  "const ok = settings['signingKey'] === given;",
  "const ok = settings?.signingKey === given;",
  "const ok = signature.trim() === computed;",
  "const ok = (await sign(body)) === signature!;",
  "const ok = given === `Bearer ${token}`;",
  "const ok = given === 'Bearer ' + serviceRoleKey;",
  "const ok = [secret, other].indexOf(given) >= 0;",
  "const ok = secrets.some((each) => given === each.password);",
  "const ok = acceptedKeys.find((apiKey) => apiKey === given);",
  "const ok = timingSafeEqual(a, signature);",
  "const ok = crypto.subtle.timingSafeEqual(encode(token), b);",
  "const ok = Object.is(given, token);",
  "const ok = given in secretKeys;",
  "const ok = new RegExp(secret).test(given);",
  "const ok = given.localeCompare(hmac) === 0;",
  "switch (given) { case secret: allow(); }",
  "switch (apiKey) { case 'abc': allow(); }",
  "const ok = apiKey === 'sb_secret_written_out';",
  "const ok = (given as string) === (secret as string);",
  "const ok = given === (current ?? fallbackSecret);",
  "const ok = (await sign(body)) === given;",
  // Under a harmless name.
  "const wanted = settings.secret; const ok = given === wanted;",
  "const mac = await sign(body); const ok = mac === given;",
  "const mac = new Uint8Array(await crypto.subtle.sign(h, key, body)); const ok = mac[i] === b;",
  "const { secret: expected } = settings; const ok = given === expected;",
  "const { webhook: { secret: expected = '' } } = settings; const ok = given === expected;",
  "function check(given, { secret: expected }) { return given === expected; }",
  "const check = (given, expected = env.API_TOKEN) => given === expected;",
  "const [first] = secrets; const ok = first === given;",
  "const a = secret.trim(); const b = a; const c = b ?? ''; const ok = c === given;",
  "let wanted; wanted = settings.signingKey; const ok = given === wanted;",
  "for (const each of acceptedKeys) if (each === given) allow();",
  "const ok = secrets.some((each) => given === each);",
  "const check = (given) => given === wanted; const wanted = settings.secret;",
  "const given = request.headers.get('apikey'); if (given === wanted) allow();",
];
for (const source of bad) {
  Deno.test(`the check finds ${source}`, () => {
    assert.notDeepEqual(reports(source), []);
  });
}

const good = [
  "if (secret === null || signingKey === undefined || signature === '') refuse();",
  "if (typeof secret === 'string' && secret.length >= 6) use();",
  "if (await isAcceptedSecret(given, [secret]) === true) allow();",
  "if (proof.state === 'signed' && !await proof.verify(bytes)) refuse();",
  "if (acquired.state === 'cached') use(acquired.sealed);",
  "if (context.tokens.lastFrom() !== 'mautic') use();",
  "if (/^ey/.test(key)) legacy();",
  "const bearer = header.match(/^Bearer (.+)$/i)?.[1];",
  "if (settings.secret !== null && mode === 'demo') warn();",
  "const { secret: expected } = settings; if (expected === undefined) refuse();",
  "const wanted = settings.secret; if (row.wanted === mode) go();",
  "const size = settings.secret.length; if (size === other) go();",
  "const accepted = await isAcceptedSecret(given, [secret]); if (accepted === before) go();",
];
for (const source of good) {
  Deno.test(`the check leaves ${source} alone`, () => {
    assert.deepEqual(reports(source), []);
  });
}

Deno.test("the helper and tests may compare; no other file of the product may", () => {
  const source = "export const same = (secret: string, other: string) => secret === other;";
  assert.deepEqual(reports(source, "/project/shared/http/secrets.ts"), []);
  assert.deepEqual(reports(source, "/project/tests/http/secrets_unit_test.ts"), []);
  for (const file of ["shared/runtime/log.ts", "supabase/functions/mautic-webhook/signature.ts"]) {
    assert.equal(reports(source, `/project/${file}`).length, 1);
  }
});

/** What decides anything in a source, and what ends a loop before its end. */
function decisions(source: string): string[] {
  const found: string[] = [];
  const note = (node: Deno.lint.Node) => void found.push(source.slice(...node.range));
  const plugin: Deno.lint.Plugin = {
    name: "test",
    rules: {
      decisions: {
        create: () => ({
          "BinaryExpression[operator=/=|<|>|in/]": note,
          IfStatement: note,
          ConditionalExpression: note,
          LogicalExpression: note,
          "ForStatement ReturnStatement": note,
          "ForStatement BreakStatement": note,
        }),
      },
    },
  };
  Deno.lint.runPlugin(plugin, "/helper.ts", source);
  return found;
}

Deno.test("the helper itself looks at every byte of two hashes, whatever they are", async () => {
  const source = await Deno.readTextFile(new URL("../../shared/http/secrets.ts", import.meta.url));
  // `??` satisfies the compiler: the index is within both.
  const expected = ["index < a.length", "a[index] ?? 0", "b[index] ?? 0", "difference === 0"];
  const [kind, ...others] = decisions(source).filter((each) => !expected.includes(each));
  assert.equal(kind, 'typeof secret === "string" ? new TextEncoder().encode(secret) : secret');
  assert.deepEqual(others, ['typeof secret === "string"']);
  assert.match(
    source,
    /const \[a, b\] = await Promise\.all\(\[digest\(given\), digest\(expected\)\]\)/,
  );
  for (
    const [from, to] of [
      ["return difference === 0", "return given === expected"],
      [
        "difference |= (a[index] ?? 0) ^ (b[index] ?? 0)",
        "if (a[index] !== b[index]) return false",
      ],
      [
        "let difference = 0;",
        "if (given.length !== expected.length) return false; let difference = 0;",
      ],
    ] as const
  ) {
    assert.ok(source.includes(from), from);
    assert.notDeepEqual(decisions(source.replace(from, to)), decisions(source), to);
  }
});

Deno.test("every exception is a known one, and no comparison of a secret is anywhere else", async () => {
  const root = new URL("../../", import.meta.url);
  const directive = /deno-lint-ignore lead-sync\/secret-comparison(?: -- (\S.*))?/g;
  const found: Record<string, number> = {};
  for (const folder of ["cli", "dev", "local", "shared", "supabase/functions"]) {
    for (const path of await sources(new URL(`${folder}/`, root), `${folder}/`)) {
      const text = await Deno.readTextFile(new URL(path, root));
      assert.doesNotMatch(text, /deno-lint-ignore-file/, path);
      if (path.startsWith("dev/lint/")) continue;
      const ignored = [...text.matchAll(directive)];
      assert.ok(ignored.every(([, reason]) => reason !== undefined), `${path}: without a reason`);
      if (ignored.length > 0) found[path] = ignored.length;
      // As `deno lint` does, but for the lines that are excepted.
      assert.equal(reports(text, `/${path}`).length, weight[path] ?? ignored.length, path);
    }
  }
  assert.deepEqual(found, exceptions);
});

/** Reports where a line compares twice. */
const weight: Record<string, number> = {
  "cli/doctor/webhook.ts": 3,
  "cli/setup/plan.ts": 4,
};

async function sources(folder: URL, prefix: string): Promise<string[]> {
  const found: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const path = `${prefix}${entry.name}`;
    if (entry.isDirectory) {
      found.push(...await sources(new URL(`${entry.name}/`, folder), `${path}/`));
    } else if (entry.name.endsWith(".ts")) found.push(path);
  }
  return found;
}
