/** Connections to Postgres, for programs that outlive its restarts. */
import postgres from "postgres";

/** Opens connections; notices, which migrations raise plenty of, go nowhere. */
export function connect(url: string, options: postgres.Options<Record<never, never>> = {}) {
  globalThis.addEventListener("unhandledrejection", passOverTypeQuery);
  return postgres(url, { onnotice: () => {}, ...options });
}

/**
 * On each new connection postgres.js first asks for the array types, in a query that nobody waits
 * for: a server that goes down just then would end the process. Whoever uses the connection hears
 * of it all the same.
 */
function passOverTypeQuery(event: PromiseRejectionEvent): void {
  const query: unknown = Object(event.reason).query;
  if (
    typeof query === "string" && /select b\.oid, b\.typarray\s+from pg_catalog\.pg_type/.test(query)
  ) {
    event.preventDefault();
  }
}

/** What a connection string looks like. */
export const postgresUrlForm = "postgresql://user:password@host:5432/postgres";

export function isPostgresUrl(text: string): boolean {
  return /^postgres(ql)?:\/\//.test(text) && URL.canParse(text);
}
