import { createClient } from "@supabase/supabase-js";
import { z } from "zod";
import type { Schema } from "./types.ts";

/** A call to the database that failed. `code` is the SQLSTATE or PostgREST code where there is one. */
export class DatabaseError extends Error {
  override name = "DatabaseError";
  readonly routine: string;
  readonly code: string;
  /** The database is not to be reached or refuses all work, whatever was asked of it. */
  readonly isUnavailable: boolean;

  constructor(routine: string, code: string, message: string) {
    super(`mautic.${routine} failed: ${message}`);
    this.routine = routine;
    this.code = code;
    // SQLSTATE classes: connection, resources, operator intervention; PostgREST's own for the same.
    this.isUnavailable = code === "no_answer" || /^(08|53|57|PGRST00)/.test(code);
  }
}

export interface DatabaseOptions {
  /** The project's URL, e.g. `https://<ref>.supabase.co`. */
  url: string;
  /** A secret key (or the legacy service-role key): these functions are for service_role only. */
  secretKey: string;
  fetch: typeof fetch;
  /** Upper bound for one call, in milliseconds. */
  timeoutMs: number;
}

type Routines = Schema["mautic"]["Functions"];
type Parameters<Name extends keyof Routines> = Routines[Name]["Args"];
/** Postgres knows no argument that may not be null; the generated types deny it for all. */
type Nullable<Arguments> = { [Key in keyof Arguments]: Arguments[Key] | null };

/** Calls a function of schema `mautic` by its name, and returns what has the given shape. */
export type Call = <Name extends keyof Routines, Result>(
  routine: Name,
  args: Nullable<Parameters<Name>>,
  shape: z.ZodType<Result>,
) => Promise<Result>;

/**
 * A way to call the functions of schema `mautic` over the Data API. Names and arguments are held
 * against the migrations at compile time, by types.ts; what a call returns is checked when it comes.
 * A call rejects with a {@link DatabaseError}.
 */
export function createCall(options: DatabaseOptions): Call {
  const client = createClient(options.url, options.secretKey, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    db: { schema: "mautic" },
    global: {
      fetch: (input, init) =>
        options.fetch(input, { ...init, signal: AbortSignal.timeout(options.timeoutMs) }),
    },
  });

  return async (routine, args, shape) => {
    const { data, error } = await client.rpc(routine, args);
    if (error) throw new DatabaseError(routine, error.code || "no_answer", error.message);
    const parsed = shape.safeParse(data);
    if (!parsed.success) {
      throw new DatabaseError(routine, "bad_answer", z.prettifyError(parsed.error));
    }
    return parsed.data;
  };
}
