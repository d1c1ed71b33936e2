import { isAcceptedSecret, sameSecret } from "shared/http/secrets.ts";

/** The header in which Mautic signs: base64 of HMAC-SHA256 over the raw body. */
export const signatureHeader = "Webhook-Signature";

export interface ProofSettings {
  /** Accepted as `?secret=`, and as signing key where people entered the same text in Mautic. */
  secret: string | null;
  /** Where set, a signature made with it is required. */
  signingKey: string | null;
}

/** What can be told of a request before its body is read. */
export type Proof =
  | { state: "accepted" }
  | { state: "refused"; reason: string }
  /** The signature decides: `verify` it over the raw body. */
  | { state: "signed"; verify(body: Uint8Array<ArrayBuffer>): Promise<boolean> };

/**
 * Does this request come from our Mautic? Mautic always signs, with a key it invents when none was
 * entered, so a signature that does not fit says nothing against a right `?secret=`.
 *
 * Signing key set: only a signature made with it. Else: the secret in the address, or a signature
 * made with the secret. Neither set: refused. Comparisons take constant time.
 */
export async function readProof(request: Request, settings: ProofSettings): Promise<Proof> {
  const { secret, signingKey } = settings;
  const given = new URL(request.url).searchParams.getAll("secret");
  const signature = request.headers.get(signatureHeader)?.trim() ?? "";
  if (secret === null && signingKey === null) {
    return {
      state: "refused",
      reason: "Neither MAUTIC_WEBHOOK_SECRET nor MAUTIC_WEBHOOK_SIGNING_KEY is set.",
    };
  }
  if (given.length > 1) return { state: "refused", reason: "The secret is given twice." };
  if (signingKey === null && secret !== null) {
    const [only] = given;
    if (only !== undefined && await isAcceptedSecret(only, [secret])) return { state: "accepted" };
  }
  const key = signingKey ?? secret;
  if (signature === "" || key === null) {
    const wanted = signingKey === null ? "?secret=" : `a ${signatureHeader} header`;
    return { state: "refused", reason: `A valid ${wanted} is needed.` };
  }
  return {
    state: "signed",
    verify: async (body) => await sameSecret(signature, await sign(body, key)),
  };
}

/** Signs as Mautic does: base64 of HMAC-SHA256 over `body`, keyed with `key` in UTF-8. */
export async function sign(body: Uint8Array<ArrayBuffer>, key: string): Promise<string> {
  const imported = await crypto.subtle.importKey(
    "raw",
    new TextEncoder().encode(key),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign"],
  );
  const digest = new Uint8Array(await crypto.subtle.sign("HMAC", imported, body));
  return btoa(String.fromCharCode(...digest));
}
