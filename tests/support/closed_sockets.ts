/**
 * For tests that crash Postgres. postgres.js writes in a turn of its own, and reads between two
 * statements: there a socket that Postgres has closed raises past every promise that we hold, which
 * would end the whole test file. The statements themselves are rejected as well.
 */
export function ignoreClosedSockets(): void {
  globalThis.addEventListener("unhandledrejection", (event) => {
    const said = String(event.reason);
    if (/socket has been ended by the other party|ECONNRESET|EPIPE/.test(said)) {
      event.preventDefault();
    }
  });
}
