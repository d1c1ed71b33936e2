/** `deno task setup`: makes what is missing in Mautic and in Vault. */
import { setup } from "./setup/main.ts";

Deno.exit(await setup(Deno.args, Deno.env.toObject()));
