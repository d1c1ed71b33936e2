const version = "v1";
const ivBytes = 12;

/** Encrypts short texts so that only a holder of the client secret can read them. */
export interface Seal {
  seal(text: string): Promise<string>;
  /** The text, or undefined when it was sealed with another secret or is garbled. */
  unseal(sealed: string): Promise<string | undefined>;
}

/**
 * A seal under a key derived from the client secret (HKDF-SHA-256), bound to Mautic's origin and
 * the client id: AES-GCM, as `v1.<base64 of iv and ciphertext>`. A database dump, backup or
 * replica then holds no bearer token, and changing the secret makes old tokens unreadable.
 *
 * The random part comes from the platform, not from a parameter: a repeated one breaks AES-GCM.
 */
export function createSeal(
  { clientSecret, origin, clientId }: { clientSecret: string; origin: string; clientId: string },
): Seal {
  const context = new TextEncoder().encode(JSON.stringify([origin, clientId]));
  const key = deriveKey(clientSecret, context);
  // A failure shows when the key is used; it must not be an unhandled rejection before that.
  key.catch(() => {});

  return {
    async seal(text) {
      const iv = crypto.getRandomValues(new Uint8Array(ivBytes));
      const encrypted = await crypto.subtle.encrypt(
        { name: "AES-GCM", iv, additionalData: context },
        await key,
        new TextEncoder().encode(text),
      );
      return `${version}.${toBase64(new Uint8Array([...iv, ...new Uint8Array(encrypted)]))}`;
    },

    async unseal(sealed) {
      try {
        const [prefix, payload, ...rest] = sealed.split(".");
        // deno-lint-ignore lead-sync/secret-comparison -- its first part only names the format
        if (prefix !== version || !payload || rest.length > 0) return undefined;
        const bytes = fromBase64(payload);
        const decrypted = await crypto.subtle.decrypt(
          { name: "AES-GCM", iv: bytes.slice(0, ivBytes), additionalData: context },
          await key,
          bytes.slice(ivBytes),
        );
        return new TextDecoder().decode(decrypted);
      } catch {
        return undefined;
      }
    },
  };
}

async function deriveKey(secret: string, info: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const encoder = new TextEncoder();
  const material = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: encoder.encode("mautic access token"), info },
    material,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
}
