/** `deno task rehearse`: the tests of a deployment, with the Supabase CLI that a person would use. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { program, readOptions } from "../cli/options.ts";

readOptions(program("rehearse"), Deno.args, z.object({}));

const { code } = await new Deno.Command(Deno.execPath(), {
  args: ["test", "-A", "tests/deployment"],
  cwd: fileURLToPath(new URL("..", import.meta.url)),
}).spawn().status;
Deno.exit(code);
