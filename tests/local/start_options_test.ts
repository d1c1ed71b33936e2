import assert from "node:assert/strict";
import { readStartOptions } from "../../local/start_options.ts";

Deno.test("readStartOptions() without variables means the embedded default", () => {
  assert.deepEqual(readStartOptions({}), { ports: "default", functionEnv: {} });
});

Deno.test("readStartOptions() takes a database and a Mautic from the environment", () => {
  const options = readStartOptions({
    LOCAL_DATABASE_URL: "postgresql://postgres:secret@db:5432/postgres",
    LOCAL_PUBLIC_HOST: "host.docker.internal",
    MAUTIC_BASE_URL: "https://mautic.example.com",
    MAUTIC_CLIENT_ID: "id",
    MAUTIC_CLIENT_SECRET: "secret",
    MAUTIC_BATCH_SIZE: "10",
    HOME: "/home/anna",
  });
  assert.deepEqual(options, {
    ports: "default",
    functionEnv: { MAUTIC_BATCH_SIZE: "10" },
    databaseUrl: "postgresql://postgres:secret@db:5432/postgres",
    publicHost: "host.docker.internal",
    mautic: { baseUrl: "https://mautic.example.com", clientId: "id", clientSecret: "secret" },
  });
});

Deno.test("readStartOptions() names the variable that is missing", () => {
  assert.throws(
    () => readStartOptions({ MAUTIC_BASE_URL: "https://mautic.example.com" }),
    /MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET not set/,
  );
});

Deno.test("readStartOptions() names a wrong variable and keeps its password to itself", () => {
  const wrong = { LOCAL_DATABASE_URL: "mysql://root:hunter2@db/x" };
  assert.throws(() => readStartOptions(wrong), (error: Error) => {
    assert.match(error.message, /LOCAL_DATABASE_URL .* expected postgresql:\/\//);
    assert.doesNotMatch(error.message, /hunter2/);
    return true;
  });
  assert.throws(() => readStartOptions({ LOCAL_PUBLIC_HOST: "http://x/" }), /LOCAL_PUBLIC_HOST/);
});
