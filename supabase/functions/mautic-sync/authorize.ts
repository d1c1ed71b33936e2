import { verifyAuth } from "@supabase/server/core";
import { isAcceptedSecret } from "shared/http/secrets.ts";
import type { SupabaseSettings } from "shared/settings/supabase.ts";

/**
 * May this caller use mautic-sync? Holders of a secret key of the project may (the `apikey`
 * header), and holders of the legacy service-role key (as bearer). Publishable keys and users'
 * tokens may not. Constant-time.
 */
export async function isAuthorized(request: Request, settings: SupabaseSettings): Promise<boolean> {
  const { error } = await verifyAuth(request, {
    auth: "secret:*",
    env: {
      url: settings.url,
      secretKeys: Object.fromEntries(
        settings.acceptedKeys.map((key, index) => [`key${index}`, key]),
      ),
    },
  });
  if (!error) return true;
  if (settings.serviceRoleKey === null) return false;
  const bearer = request.headers.get("authorization")?.match(/^Bearer\s+(\S+)$/i)?.[1];
  // supabase-js sends the legacy key in both headers.
  const given = bearer ?? request.headers.get("apikey");
  return given !== null && given !== undefined &&
    await isAcceptedSecret(given, [settings.serviceRoleKey]);
}
