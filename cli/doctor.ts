/** `deno task doctor`: is this deployment sound, and if not, what is to be done? */
import { doctor } from "./doctor/main.ts";

Deno.exit(await doctor(Deno.args, Deno.env.toObject()));
