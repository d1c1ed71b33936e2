/** The keys of the local stack, and the roles behind them. */

export type ApiKeys = { publishable: string; secret: string };

/** Fresh keys in the platform's format; they name nothing outside this stack. */
export function createApiKeys(): ApiKeys {
  const random = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    return Array.from(bytes, (byte) => byte.toString(36).padStart(2, "0")).join("").slice(0, 31);
  };
  return { publishable: `sb_publishable_${random()}`, secret: `sb_secret_${random()}` };
}

export type Caller =
  | { role: "anon" | "service_role" }
  | { refusal: { message: string; hint: string } };

/** Who calls the Data API, by the `apikey` header or query parameter, as the platform's gateway. */
export function callerOf(request: Request, keys: ApiKeys): Caller {
  const key = request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey");
  if (key === null) {
    return {
      refusal: {
        message: "No API key found in request",
        hint: "No `apikey` request header or url param was found.",
      },
    };
  }
  if (key === keys.secret) return { role: "service_role" };
  if (key === keys.publishable) return { role: "anon" };
  return {
    refusal: { message: "Invalid API key", hint: "Double check your Supabase `apikey`." },
  };
}
