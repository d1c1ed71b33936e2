import { systemClock } from "shared/runtime/clock.ts";
import { createLog, writeToConsole } from "shared/runtime/log.ts";
import { createHandler } from "./handler.ts";

Deno.serve(createHandler({
  env: Deno.env.toObject(),
  fetch,
  clock: systemClock,
  log: createLog({ name: "mautic-webhook", write: writeToConsole, now: systemClock.now }),
}));
