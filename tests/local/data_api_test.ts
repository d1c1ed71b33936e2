import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { createDataApi } from "../../local/supabase/data_api.ts";
import { createTestDatabase, type TestDatabase } from "../../dev/test_database.ts";

const keys = { publishable: "sb_publishable_test", secret: "sb_secret_test" };

function clientOf(url: string, key: string) {
  return createClient(url, key, { auth: { autoRefreshToken: false, persistSession: false } });
}

type Clients = {
  service: ReturnType<typeof clientOf>;
  anon: ReturnType<typeof clientOf>;
  stranger: ReturnType<typeof clientOf>;
};

/** Runs a test against a database that has a few functions in its schema `mautic`. */
async function withDataApi(
  body: (clients: Clients, database: TestDatabase) => Promise<void>,
): Promise<void> {
  await using database = await createTestDatabase({ migrations: false });
  await database.sql.unsafe(`
    create schema mautic;
    grant usage on schema mautic to service_role, anon;
    create function mautic.mirror(p_value jsonb, p_number int default 3) returns jsonb
    language sql volatile as $$
      select jsonb_build_object('value', p_value, 'number', p_number, 'role', current_user)
    $$;
    create function mautic.nothing(p_text text) returns void language sql as 'select';
    create function mautic.yes() returns boolean language sql as 'select true';
    create function mautic.moments(p_count int)
    returns table (place int, moment timestamptz) language sql as $$
      select n, '2026-01-02 03:04:05.678Z'::timestamptz from generate_series(1, p_count) as n
    $$;
    create function mautic.fail(p_code text) returns jsonb language plpgsql as $$
    begin
      raise exception 'the message' using errcode = p_code, detail = 'a detail', hint = 'a hint';
    end
    $$;
    create table mautic.note (id int);
    create function mautic.write_while_stable() returns void language plpgsql stable as $$
    begin
      execute 'insert into mautic.note values (1)';
    end
    $$;
    revoke all on all functions in schema mautic from public;
    grant all on mautic.note to service_role;
    grant execute on all functions in schema mautic to service_role;
    create table public.thing (id int primary key, label text, extra jsonb);
    alter table public.thing enable row level security;
  `);
  const dataApi = createDataApi({ databaseUrl: database.url, keys, schemas: ["public", "mautic"] });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => dataApi.fetch(request),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  try {
    await body({
      service: clientOf(url, keys.secret),
      anon: clientOf(url, keys.publishable),
      stranger: clientOf(url, "sb_secret_wrong"),
    }, database);
  } finally {
    await server.shutdown();
    await dataApi.close();
  }
}

Deno.test("rpc hands jsonb of every kind over as it is", async () => {
  await withDataApi(async ({ service }) => {
    const values = [{ a: [1, "zwei", null], s: "it's" }, [{ a: 1 }], "text", "1", 1.5, true, null];
    for (const value of values) {
      const { data, error } = await service.schema("mautic").rpc("mirror", { p_value: value });
      assert.equal(error, null);
      assert.deepEqual(data, { value, number: 3, role: "service_role" });
    }
  });
});

Deno.test("rpc answers void, scalars and rows as PostgREST does", async () => {
  await withDataApi(async ({ service }) => {
    const mautic = service.schema("mautic");
    const nothing = await mautic.rpc("nothing", { p_text: "a" });
    assert.deepEqual([nothing.status, nothing.data, nothing.error], [204, null, null]);
    assert.equal((await mautic.rpc("yes")).data, true);
    assert.deepEqual((await mautic.rpc("moments", { p_count: 1 })).data, [
      { place: 1, moment: "2026-01-02T03:04:05.678+00:00" },
    ]);
    assert.deepEqual((await mautic.rpc("moments", { p_count: 0 })).data, []);
  });
});

Deno.test("rpc keeps SQLSTATE, message, detail and hint of an error", async () => {
  await withDataApi(async ({ service }) => {
    const expected = [["P0001", 400], ["23505", 409], ["55P03", 500], ["PT409", 409], [
      "X1234",
      400,
    ]];
    for (const [code, status] of expected) {
      const answer = await service.schema("mautic").rpc("fail", { p_code: code });
      assert.equal(answer.status, status);
      const { message, details, hint } = answer.error ?? {};
      assert.equal(answer.error?.code, code);
      assert.deepEqual([message, details, hint], ["the message", "a detail", "a hint"]);
    }
  });
});

Deno.test("rpc refuses callers by role, key and schema", async () => {
  await withDataApi(async ({ service, anon, stranger }) => {
    const denied = await anon.schema("mautic").rpc("yes");
    assert.deepEqual([denied.status, denied.error?.code], [401, "42501"]);
    assert.equal((await stranger.schema("mautic").rpc("yes")).status, 401);
    const hidden = await service.schema("vault").rpc("create_secret", { new_secret: "x" });
    assert.deepEqual([hidden.status, hidden.error?.code], [406, "PGRST106"]);
    for (
      const [name, args] of [["missing", {}], ["nothing", {}], ["nothing", { p_x: 1 }]] as const
    ) {
      const unknown = await service.schema("mautic").rpc(name, args);
      assert.deepEqual([unknown.status, unknown.error?.code], [404, "PGRST202"]);
    }
  });
});

Deno.test("rpc runs a function that is not volatile in a read-only transaction", async () => {
  await withDataApi(async ({ service }) => {
    const answer = await service.schema("mautic").rpc("write_while_stable");
    assert.ok(answer.error !== null);
  });
});

Deno.test("tables are served under row level security", async () => {
  await withDataApi(async ({ service, anon }) => {
    const row = { id: 1, label: "one" };
    const inserted = await service.from("thing").insert(row).select("id, label");
    assert.deepEqual([inserted.status, inserted.data], [201, [row]]);
    assert.deepEqual((await anon.from("thing").select()).data, []);
    const updated = await service.from("thing").update({ label: "new" }).eq("id", 1).select(
      "label",
    );
    assert.deepEqual(updated.data, [{ label: "new" }]);
  });
});
