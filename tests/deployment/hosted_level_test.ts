import { hostedDenoProgram } from "../../local/process/npm_binaries.ts";
import { startStack } from "../../local/stack.ts";
import { mainJob, unsubscribing } from "./jobs.ts";

Deno.test("the functions in the checkout do their work on the hosted runtime's Deno", async () => {
  await using stack = await startStack({ deno: [await hostedDenoProgram()] });
  await mainJob(stack);
  await unsubscribing(stack);
});
