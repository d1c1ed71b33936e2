/**
 * Are two secrets equal? Takes the same time wherever they differ: both are hashed first, so that
 * not even their lengths show. The one comparison of secrets in this project.
 */
export async function sameSecret(given: Secret, expected: Secret): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given), digest(expected)]);
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= (a[index] ?? 0) ^ (b[index] ?? 0);
  return difference === 0;
}

export type Secret = string | Uint8Array<ArrayBuffer>;

/** Is `given` one of `accepted`? Compares with all of them, always. */
export async function isAcceptedSecret(given: Secret, accepted: Secret[]): Promise<boolean> {
  const found = await Promise.all(accepted.map((each) => sameSecret(given, each)));
  return found.includes(true);
}

async function digest(secret: Secret): Promise<Uint8Array> {
  const bytes = typeof secret === "string" ? new TextEncoder().encode(secret) : secret;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}
