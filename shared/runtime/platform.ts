/** What the edge runtime gives, behind one interface, so that tests bring their own. */
export interface Platform {
  env: Record<string, string | undefined>;
  /** Lets a task outlive the answer. */
  background(task: Promise<unknown>): void;
}

/** `EdgeRuntime` is there on Supabase, not under plain Deno (where a process just goes on). */
export function edgePlatform(): Platform {
  const runtime: unknown = Reflect.get(globalThis, "EdgeRuntime");
  return {
    env: Deno.env.toObject(),
    background(task) {
      if (typeof runtime === "object" && runtime !== null && "waitUntil" in runtime) {
        const { waitUntil } = runtime;
        if (typeof waitUntil === "function") waitUntil.call(runtime, task);
      }
    },
  };
}
