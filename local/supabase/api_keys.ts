/** The keys of the local stack, and the roles behind them. */
import { errors, jwtVerify } from "jose";
import { marked } from "../canary/canary.ts";
import { isAcceptedSecret } from "shared/http/secrets.ts";

export type ApiKeys = {
  publishable: string;
  secret: string;
  /** Users' tokens are signed with it (HS256). Without one no token is valid. */
  jwtSecret?: string;
};

/** Fresh keys in the platform's format; they name nothing outside this stack. */
export function createApiKeys(): ApiKeys {
  const random = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(24));
    return Array.from(bytes, (byte) => byte.toString(36).padStart(2, "0")).join("").slice(0, 31);
  };
  return {
    publishable: `sb_publishable_${random()}`,
    secret: marked(random(), "sb_secret_"),
    jwtSecret: marked(random()),
  };
}

export const roles = ["anon", "authenticated", "service_role"] as const;
export type Role = (typeof roles)[number];
export type Caller = { role: Role } | { refusal: Refusal };
type Refusal = { code?: string; message: string; hint: string };

/**
 * Who calls the Data API: the platform's gateway asks for an API key, in the `apikey` header or
 * query parameter; behind it PostgREST takes the role from a user's token, where there is one.
 */
export async function callerOf(request: Request, keys: ApiKeys): Promise<Caller> {
  const key = request.headers.get("apikey") ?? new URL(request.url).searchParams.get("apikey");
  if (key === null) {
    return {
      refusal: {
        message: "No API key found in request",
        hint: "No `apikey` request header or url param was found.",
      },
    };
  }
  const role = await roleOfKey(key, keys);
  if (role === undefined) {
    return {
      refusal: { message: "Invalid API key", hint: "Double check your Supabase `apikey`." },
    };
  }
  const bearer = /^Bearer (.*)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  // supabase-js sends the API key as bearer too, where nobody has signed in.
  if (bearer === undefined || await isAcceptedSecret(bearer, [key])) return { role };
  return await callerOfToken(bearer, keys);
}

async function roleOfKey(key: string, keys: ApiKeys): Promise<Role | undefined> {
  if (await isAcceptedSecret(key, [keys.secret])) return "service_role";
  if (await isAcceptedSecret(key, [keys.publishable])) return "anon";
  return undefined;
}

/** @see https://docs.postgrest.org/en/stable/references/errors.html#group-3-jwt */
async function callerOfToken(token: string, { jwtSecret }: ApiKeys): Promise<Caller> {
  const refuse = (code: string, message: string) => ({ refusal: { code, message, hint: "" } });
  if (jwtSecret === undefined) return refuse("PGRST300", "Server lacks JWT secret");
  try {
    const secret = new TextEncoder().encode(jwtSecret);
    const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"] });
    const role = roles.find((each) => each === payload["role"]);
    return role === undefined ? refuse("22023", "role does not exist") : { role };
  } catch (error) {
    return error instanceof errors.JWTExpired
      ? refuse("PGRST303", "JWT expired")
      : refuse("PGRST301", "No suitable key or wrong key type");
  }
}
