/** TCP ports of the loopback interface. */

const hostname = "127.0.0.1";

/** Tells whether nobody listens on a port right now. */
export function portIsFree(port: number): boolean {
  try {
    Deno.listen({ hostname, port }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) return false;
    throw error;
  }
}

/** A port that nobody listens on right now. Another process may take it before its caller does. */
export function freePort(): number {
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}
