import { z } from "zod";
import type { Call } from "./call.ts";

const acquired = z.discriminatedUnion("state", [
  z.object({ state: z.literal("cached"), sealed: z.string(), expires_at: z.string() }),
  z.object({ state: z.literal("refresh") }),
  z.object({ state: z.literal("wait"), retry_ms: z.number() }),
]);

/** The access tokens that all processes share; sealed (shared/mautic/token/seal.ts). */
export function tokenCalls(call: Call) {
  const nothing = z.unknown();

  return {
    acquire: (origin: string, clientId: string, holder: string, holdMs: number) =>
      call("acquire_token", {
        p_origin: origin,
        p_client_id: clientId,
        p_holder: holder,
        p_hold_ms: holdMs,
      }, acquired),
    store: (
      origin: string,
      clientId: string,
      holder: string,
      sealed: string,
      expiresAt: string,
    ) =>
      call("store_token", {
        p_origin: origin,
        p_client_id: clientId,
        p_holder: holder,
        p_sealed: sealed,
        p_expires_at: expiresAt,
      }, nothing),
    drop: (origin: string, clientId: string, sealed: string) =>
      call("drop_token", {
        p_origin: origin,
        p_client_id: clientId,
        p_sealed: sealed,
      }, nothing),
    release: (origin: string, clientId: string, holder: string) =>
      call("release_token", {
        p_origin: origin,
        p_client_id: clientId,
        p_holder: holder,
      }, nothing),
  };
}
