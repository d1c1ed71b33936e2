/** From nothing to a function's first answer. */
import { createApiKeys } from "../../../local/supabase/api_keys.ts";
import { denoEnvironment } from "../../../local/process/deno_environment.ts";
import { functionEnvironment } from "../../../local/supabase/functions/environment.ts";
import { startFunction } from "../../../local/supabase/functions/process.ts";
import { hostedDenoProgram } from "../../../local/process/npm_binaries.ts";
import { type Figure, figure, type Part, quantile } from "../measure.ts";

const functions = {
  empty: new URL("./fixtures/empty/index.ts", import.meta.url),
  "mautic-sync": new URL("../../../supabase/functions/mautic-sync/index.ts", import.meta.url),
  "mautic-webhook": new URL("../../../supabase/functions/mautic-webhook/index.ts", import.meta.url),
};

/** All settings, so that a start reads and checks them; nobody is at the addresses. */
const nowhere = "http://127.0.0.1:9";
const env = functionEnvironment({
  apiUrl: nowhere,
  dbUrl: "postgresql://127.0.0.1:9/postgres",
  keys: createApiKeys(),
  webhookSecret: "secret",
  mautic: {
    emulator: undefined,
    connection: { baseUrl: nowhere, clientId: "id", clientSecret: "secret" },
    campaignId: 1,
  },
});

/** Milliseconds until the function has told a stranger that he may not call it. */
async function firstAnswer(entrypoint: URL, deno: string): Promise<number> {
  const from = performance.now();
  const process = startFunction({
    entrypoint: entrypoint.href,
    deno: [deno],
    env: { ...denoEnvironment(), ...env },
    log: () => {},
  });
  try {
    const response = await fetch(`http://127.0.0.1:${await process.port}/`, { method: "POST" });
    await response.body?.cancel();
    const ms = performance.now() - from;
    const expected = entrypoint === functions.empty ? 200 : 401;
    if (response.status !== expected) throw new Error(`${entrypoint} answered ${response.status}`);
    return ms;
  } finally {
    await process.kill();
  }
}

async function onDeno(name: string, id: string, deno: string, runs: number): Promise<Figure[]> {
  const times: Record<keyof typeof functions, number[]> = {
    empty: [],
    "mautic-sync": [],
    "mautic-webhook": [],
  };
  // The first of each fills Deno's cache of compiled code: a deployed bundle is compiled too.
  for (let run = 0; run <= runs; run++) {
    for (const one of ["empty", "mautic-sync", "mautic-webhook"] as const) {
      const ms = await firstAnswer(functions[one], deno);
      if (run > 0) times[one].push(ms);
    }
  }
  return (["mautic-sync", "mautic-webhook"] as const).map((one) =>
    figure({
      id: `start_up.${one.replace("-", "_")}.${id}`,
      name: `${one} from a cold start to its first answer, ${name}`,
      unit: "ms",
      value: quantile(times[one], 0.5),
      baseline: { name: "a function that only answers", value: quantile(times.empty, 0.5) },
    })
  );
}

export const startUpPart: Part = {
  name: "start-up",
  about: "cold starts of the functions, on this Deno and on the hosted runtime's",
  run: async ({ quick }) => {
    const runs = quick ? 1 : 7;
    const hosted = await onDeno("Deno 2.1.4", "hosted_deno", await hostedDenoProgram(), runs);
    const here = await onDeno(`Deno ${Deno.version.deno}`, "this_deno", Deno.execPath(), runs);
    return { figures: [...hosted, ...here] };
  },
};
