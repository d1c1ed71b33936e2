import { z } from "zod";
import type { Call } from "./call.ts";

/** mautic.read_status(): the view `mautic.status`, ages in milliseconds. */
const status = z.object({
  due_now: z.number(),
  oldest_due_age_ms: z.number().nullable(),
  paused: z.boolean(),
  circuit: z.enum(["closed", "open"]),
  circuit_open_ms: z.number().nullable(),
  circuit_reason: z.string().nullable(),
}).catchall(z.unknown());
export type Status = z.infer<typeof status>;

/** How the sync is. */
export function statusCalls(call: Call) {
  return {
    readStatus: () => call("read_status", {}, status),
  };
}
