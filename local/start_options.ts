/** From environment variables to the options of `deno task start`. */
import type { MauticConnection } from "./mautic_part.ts";
import type { StackOptions } from "./stack.ts";

type Env = Record<string, string | undefined>;

/**
 * Reads LOCAL_DATABASE_URL, LOCAL_PUBLIC_HOST and the MAUTIC_* variables.
 *
 * @throws {Error} naming the variable that is wrong or missing, and what it should hold
 */
export function readStartOptions(env: Env): StackOptions {
  const databaseUrl = setting(env, "LOCAL_DATABASE_URL");
  if (databaseUrl !== undefined) {
    requireUrl("LOCAL_DATABASE_URL", databaseUrl, ["postgres:", "postgresql:"]);
  }
  const publicHost = setting(env, "LOCAL_PUBLIC_HOST");
  if (publicHost !== undefined && !/^[\w.-]+$|^\[[\da-f:]+\]$/i.test(publicHost)) {
    throw new Error(`LOCAL_PUBLIC_HOST holds "${publicHost}"; expected a host name or IP address`);
  }
  const webhookSecret = setting(env, "MAUTIC_WEBHOOK_SECRET");
  const mautic = mauticConnection(env);
  return {
    ports: "default",
    functionEnv: passedOn(env),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(publicHost === undefined ? {} : { publicHost }),
    ...(webhookSecret === undefined ? {} : { webhookSecret }),
    ...(mautic === undefined ? {} : { mautic }),
  };
}

const connection = ["MAUTIC_BASE_URL", "MAUTIC_CLIENT_ID", "MAUTIC_CLIENT_SECRET"] as const;

function mauticConnection(env: Env): MauticConnection | undefined {
  const [baseUrl, clientId, clientSecret] = connection.map((name) => setting(env, name));
  if (baseUrl === undefined && clientId === undefined && clientSecret === undefined) {
    return undefined;
  }
  if (baseUrl === undefined || clientId === undefined || clientSecret === undefined) {
    const missing = connection.filter((name) => setting(env, name) === undefined);
    throw new Error(
      `${missing.join(" and ")} not set: ${connection.join(", ")} go together ` +
        "(all three for a real Mautic, none for the emulator)",
    );
  }
  requireUrl("MAUTIC_BASE_URL", baseUrl, ["http:", "https:"]);
  return { baseUrl, clientId, clientSecret };
}

/** The developer's own settings of the functions; the stack knows the credentials itself. */
function passedOn(env: Env): Record<string, string> {
  const own = new Set<string>([...connection, "MAUTIC_WEBHOOK_SECRET"]);
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      name.startsWith("MAUTIC_") && !own.has(name) && value !== undefined ? [[name, value]] : []
    ),
  );
}

function setting(env: Env, name: string): string | undefined {
  const value = env[name]?.trim();
  return value === "" ? undefined : value;
}

function requireUrl(name: string, value: string, protocols: string[]): void {
  if (!URL.canParse(value) || !protocols.includes(new URL(value).protocol)) {
    const example = `${protocols.at(-1)}//…`;
    // The value itself may hold a password.
    throw new Error(`${name} is not a URL of the expected kind; expected ${example}`);
  }
}
