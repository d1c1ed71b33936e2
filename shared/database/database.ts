import { projectOf } from "shared/settings/supabase.ts";
import { createCall, type DatabaseOptions } from "./call.ts";
import { consentCalls } from "./consent.ts";
import { contactCalls } from "./contact.ts";
import { enrollmentCalls } from "./enrollment.ts";
import { queueCalls } from "./queue.ts";
import { statusCalls } from "./status.ts";
import { tokenCalls } from "./token.ts";
import { workerCalls } from "./worker.ts";

export type Database = ReturnType<typeof createDatabase>;

/**
 * The functions of schema `mautic` that mautic-sync may call, typed, over the Data API: a file a
 * chapter. What each does is said in the migrations; every one rejects with a DatabaseError
 * (call.ts) where the database fails.
 */
export function createDatabase(options: DatabaseOptions) {
  const call = createCall(options);
  const project = projectOf(options.url);
  return {
    /** Whose leads these are (mautic.deployment). */
    project,
    /** For the chapters that one action alone needs, and loads with itself. */
    call,
    ...workerCalls(call, project),
    ...queueCalls(call, project),
    ...contactCalls(call),
    ...consentCalls(call),
    ...enrollmentCalls(call),
    ...statusCalls(call),
    tokens: tokenCalls(call),
  };
}
