import { SignJWT } from "jose";
import type { ApiKeys } from "../../local/supabase/api_keys.ts";
import { marked } from "../../local/canary/canary.ts";

/** Somebody who may nothing, and what the headers say. */
export interface Caller {
  name: string;
  headers: Record<string, string>;
  /** What the address says after its `?` or `&`. */
  query?: string;
  /** Who the Data API takes it for; null: it turns the caller away. */
  role: "anon" | "authenticated" | null;
}

const legacyAnon = { role: "anon", ref: "test", iss: "supabase" };

/** A token of a signed-in user, in the form of the platform's. */
function token(
  role: string,
  secret: string,
  { expires = "1h", algorithm = "HS256" }: { expires?: string; algorithm?: string } = {},
): Promise<string> {
  return new SignJWT({ role, sub: crypto.randomUUID(), jti: marked(""), aud: "authenticated" })
    .setProtectedHeader({ alg: algorithm, typ: "JWT" })
    .setIssuedAt("-2h")
    .setExpirationTime(expires)
    .sign(new TextEncoder().encode(secret));
}

function unsigned(claims: object): string {
  const part = (value: object) => btoa(JSON.stringify(value)).replaceAll("=", "");
  return `${part({ alg: "none", typ: "JWT" })}.${part(claims)}.`;
}

/** Everybody who must not get in anywhere, as far as a caller can be told by headers. */
export async function wrongCallers(keys: Required<ApiKeys>): Promise<Caller[]> {
  const { publishable, secret, jwtSecret } = keys;
  const user = await token("authenticated", jwtSecret);
  const forged = await token("service_role", "another secret, 32 characters at least");
  const expired = await token("authenticated", jwtSecret, { expires: "-1h" });
  const weak = await token("service_role", jwtSecret, { algorithm: "HS512" });
  const signedIn = (bearer: string) => ({ apikey: publishable, authorization: `Bearer ${bearer}` });
  return [
    { name: "no key", headers: {}, role: null },
    { name: "the publishable key", headers: { apikey: publishable }, role: "anon" },
    {
      name: "the publishable key in both headers, as supabase-js sends it",
      headers: signedIn(publishable),
      role: "anon",
    },
    { name: "a user's valid token", headers: signedIn(user), role: "authenticated" },
    { name: "a user's token without a key", headers: bearer(user), role: null },
    { name: "a user's token as the key", headers: { apikey: user }, role: null },
    { name: "a forged service token", headers: signedIn(forged), role: null },
    {
      name: "a forged service token as key",
      headers: { apikey: forged, ...bearer(forged) },
      role: null,
    },
    { name: "an expired token", headers: signedIn(expired), role: null },
    { name: "a token of another algorithm", headers: signedIn(weak), role: null },
    {
      name: "an unsigned token",
      headers: signedIn(unsigned({ role: "service_role", exp: 4_102_444_800 })),
      role: null,
    },
    { name: "an unsigned anon token", headers: signedIn(unsigned(legacyAnon)), role: null },
    { name: "a wrong secret key", headers: { apikey: `sb_secret_${"0".repeat(31)}` }, role: null },
    { name: "an empty key", headers: { apikey: "" }, role: null },
    { name: "an empty bearer", headers: { authorization: "Bearer " }, role: null },
    { name: "a prefix of the secret key", headers: { apikey: secret.slice(0, -1) }, role: null },
    { name: "the secret key and more", headers: { apikey: `${secret}0` }, role: null },
    { name: "the secret key twice", headers: { apikey: `${secret}, ${secret}` }, role: null },
    { name: "the secret key after a space", headers: { apikey: `x ${secret}` }, role: null },
    { name: "the secret key in upper case", headers: { apikey: secret.toUpperCase() }, role: null },
    {
      name: "the secret key without its prefix",
      headers: { apikey: secret.slice(10) },
      role: null,
    },
    { name: "the word undefined", headers: { apikey: "undefined" }, role: null },
  ];
}

/** Everybody who shows a secret that opens another door, in every place where a secret can be shown. */
export function misplaced(name: string, secret: string, { publishable }: ApiKeys): Caller[] {
  const inAddress = encodeURIComponent(secret);
  const shown: Omit<Caller, "role">[] = [
    { name: "as apikey", headers: { apikey: secret } },
    { name: "as bearer", headers: bearer(secret) },
    { name: "in both headers", headers: { apikey: secret, ...bearer(secret) } },
    { name: "as a user's token", headers: { apikey: publishable, ...bearer(secret) } },
    { name: "as ?secret=", headers: {}, query: `secret=${inAddress}` },
    { name: "as ?apikey=", headers: {}, query: `apikey=${inAddress}` },
  ];
  return shown.map((caller) => ({ ...caller, name: `${name} ${caller.name}`, role: null }));
}

function bearer(value: string) {
  return { authorization: `Bearer ${value}` };
}
