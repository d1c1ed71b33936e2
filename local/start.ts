/** `deno task start`: the stack until Ctrl-C. */
import { watchLauncher } from "./process/launcher.ts";
import { printNote, printResult } from "../cli/print.ts";
import { startStack } from "./stack.ts";
import { readStartOptions } from "./start_options.ts";

const ending = Promise.withResolvers<void>();
let signals = 0;
for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  Deno.addSignalListener(name, () => {
    // The second time in earnest; what is left then is cleaned up from outside.
    if (++signals > 1) Deno.exit(130);
    ending.resolve();
  });
}
watchLauncher(Deno.env.toObject(), ending.resolve);

try {
  const begun = performance.now();
  await using stack = await startStack({
    ...readStartOptions(Deno.env.toObject()),
    log: printNote,
  });
  if (signals === 0) {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1);
    printNote(`The stack is up after ${seconds} s. Ctrl-C ends it and removes all it made.`);
    printResult(JSON.stringify(stack.ready));
  }
  await ending.promise;
  printNote("Ending the stack …");
} catch (error) {
  if (signals === 0) {
    printNote(`The stack did not start: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = 1;
  }
}
Deno.exit();
