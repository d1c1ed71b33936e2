/** Who runs Postgres: ourselves, or, as Postgres refuses root, an unprivileged user. */

/** `undefined` means: as the user of this process. */
export type ProcessUser = { uid: number; gid: number } | undefined;

/**
 * The user Postgres runs as. Root gets the first of `postgres`, `nobody` and `daemon` that this
 * machine has: initdb looks its user up by name, so a made-up number would not do.
 *
 * @throws {Error} when this process is root and none of these users exists
 */
export async function postgresUser(): Promise<ProcessUser> {
  if (Deno.uid() !== 0) return undefined;
  const users = new Map(
    (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => {
      const [name = "", , uid, gid] = line.split(":");
      return [name, { uid: Number(uid), gid: Number(gid) }];
    }),
  );
  const user = users.get("postgres") ?? users.get("nobody") ?? users.get("daemon");
  if (user === undefined) {
    throw new Error(
      "Cannot start Postgres as root: it needs an unprivileged user, and none of postgres, " +
        "nobody and daemon is in /etc/passwd. Add one (useradd --system postgres).",
    );
  }
  return user;
}
