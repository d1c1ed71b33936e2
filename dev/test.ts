/** `deno task test`: `deno test` over all tests, with its own options, in a temporary folder that goes with it. */
import { fileURLToPath } from "node:url";
import { useOwnTemporaryFolder } from "./temporary.ts";

const temporary = await useOwnTemporaryFolder();
const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", fileURLToPath(new URL("../tests", import.meta.url)), ...Deno.args],
}).spawn().status;
await temporary.remove();
Deno.exit(code);
