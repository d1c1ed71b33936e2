import { systemClock } from "shared/clock.ts";
import { createLog, writeToConsole } from "shared/log.ts";
import { createHandler } from "./handler.ts";
import { edgePlatform } from "./platform.ts";

Deno.serve(createHandler({
  platform: edgePlatform(),
  fetch,
  clock: systemClock,
  random: Math.random,
  log: createLog({ name: "mautic-sync", write: writeToConsole, now: systemClock.now }),
}));
