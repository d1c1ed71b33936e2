import { systemClock } from "shared/runtime/clock.ts";
import { createLog, writeToConsole } from "shared/runtime/log.ts";
import { edgePlatform } from "shared/runtime/platform.ts";
import { createHandler } from "./handler.ts";

Deno.serve(createHandler({
  platform: edgePlatform(),
  fetch,
  clock: systemClock,
  random: Math.random,
  log: createLog({ name: "mautic-sync", write: writeToConsole, now: systemClock.now }),
}));
