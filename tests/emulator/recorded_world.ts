/** The server the recordings were made on: its client, its people, its receivers, its clock. */
import { createMauticServer } from "../../local/mautic/server.ts";
import type { MauticServer } from "../../local/mautic/server_types.ts";
import type { CustomFieldOptions } from "../../local/mautic/field_definitions.ts";
import type { Json } from "../../local/mautic/types.ts";
import { differences } from "./compare.ts";
import type { RecordedDelivery, Recording } from "./recording.ts";

/** A delivery the emulator made. */
export interface SentDelivery {
  path: string;
  headers: Record<string, string>;
  body: string;
}

export interface World {
  server: MauticServer;
  /** Deliveries since the last look. */
  takeDeliveries(): SentDelivery[];
  /** Plays the recorded request and answers with the response. */
  play(recording: Recording, body?: Json): Promise<{ response: Response; body: Json }>;
  /** A request of the arrangement. */
  ask(method: string, path: string, body?: Json): Promise<Json>;
  advance(seconds: number): void;
  /** From now on without any right, as the `noperm` recordings. */
  becomeNobody(isNobody: boolean): void;
}

const START = Date.parse("2026-11-23T08:02:32Z");
const CLIENT = { id: "1_CLIENT-ID", secret: "CLIENT-SECRET", name: "verify" };
const USERS = [
  { id: 1, username: "admin", password: "p", firstName: "Ad", lastName: "Min", isAdmin: true },
  { id: 2, username: "nobody", password: "p", firstName: "No", lastName: "Body", isAdmin: false },
];

export function createWorld(customFields: CustomFieldOptions[] = []): World {
  let now = START;
  let seed = 1;
  let sent: SentDelivery[] = [];
  let isNobody = false;
  let token: string | null = null;

  const server = createMauticServer({
    clock: {
      now: () => now,
      sleep: (milliseconds) => {
        now += milliseconds;
        return Promise.resolve();
      },
    },
    random: () => (seed = (seed * 16807) % 2147483647) / 2147483647,
    turn: () => Promise.resolve(),
    client: CLIENT,
    users: USERS,
    customFields,
    campaigns: [],
    settings: { basicAuthEnabled: true },
    deliver(url, { headers, body }) {
      const { port, pathname } = new URL(url);
      if (port === "9") return Promise.reject(new Error("refused"));
      sent.push({ path: pathname, headers, body });
      const status = /^\/status\/(\d+)\//.exec(pathname)?.[1];
      return Promise.resolve({ status: Number(status ?? 200) });
    },
  });

  async function bearer(): Promise<string> {
    if (token !== null) return `Bearer ${token}`;
    const response = await server.handle(
      new Request("http://mautic.test/oauth/v2/token", {
        method: "POST",
        body: new URLSearchParams({
          grant_type: "client_credentials",
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
        }),
      }),
    );
    const body = await response.json();
    token = String(body.access_token);
    return `Bearer ${token}`;
  }

  async function send(method: string, path: string, headers: Headers, body: BodyInit | null) {
    const response = await server.handle(
      new Request(`http://mautic.test${path}`, { method, headers, body }),
    );
    const answered: Json = await response.clone().json();
    return { response, body: answered };
  }

  return {
    server,
    takeDeliveries() {
      const taken = sent;
      sent = [];
      return taken;
    },
    async play({ request, case: name }, replacement) {
      if (!request) throw new Error(`${name} holds no request.`);
      const headers = new Headers(request.headers);
      const authorization = headers.get("authorization");
      if (authorization?.startsWith("Bearer")) {
        headers.set("authorization", isNobody ? basic("nobody") : await bearerFor(name));
      } else if (authorization) {
        const isClient = request.path.startsWith("/oauth");
        const wrong = name === "api-bad-basic";
        headers.set(
          "authorization",
          isClient ? `Basic ${btoa(`${CLIENT.id}:${CLIENT.secret}`)}` : basic("admin", wrong),
        );
      }
      const body = replacement ?? request.body ?? null;
      const isForm = headers.get("content-type")?.includes("form-urlencoded");
      const text = body === null
        ? request.body_raw ?? null
        : isForm
        ? new URLSearchParams(Object.entries(body).map(([key, value]) => [key, String(value)]))
        : JSON.stringify(body);
      const path = request.path.replace("access_token=REDACTED", `access_token=${token}`);
      return await send(request.method, path, headers, text);
    },
    async ask(method, path, body) {
      const headers = new Headers({
        "Content-Type": "application/json",
        Authorization: await bearer(),
      });
      const text = body === undefined ? null : JSON.stringify(body);
      return (await send(method, path, headers, text)).body;
    },
    advance(seconds) {
      now += seconds * 1000;
    },
    becomeNobody(value) {
      isNobody = value;
    },
  };

  async function bearerFor(name: string): Promise<string> {
    if (name === "api-bad-bearer") return "Bearer nosuchtoken";
    if (name !== "api-expired-token") return await bearer();
    const expired = await bearer();
    token = null;
    now += 3600_000;
    return expired;
  }
}

function basic(user: string, wrong = false): string {
  return `Basic ${btoa(`${user}:${wrong ? "wrong" : "p"}`)}`;
}

/** Compares what was answered with what was recorded. */
export function answerDifferences(recording: Recording, response: Response, body: Json): string[] {
  const recorded = recording.response;
  if (!recorded) return [];
  const found = differences(recorded.body ?? null, body);
  if (recorded.status !== response.status) {
    found.unshift(`status: ${recorded.status} recorded, ${response.status} now`);
  }
  const compared = /^(location|mautic-version|pragma|content-type|x-ratelimit-(limit|remaining))$/i;
  for (const [name, value] of recorded.headers) {
    const now = response.headers.get(name);
    if (compared.test(name) && value !== now) found.push(`${name}: ${value} recorded, ${now} now`);
    if (name === "X-RateLimit-Reset" && !/^\d{10}$/.test(now ?? "")) found.push(`${name}: ${now}`);
  }
  const hadVersion = recorded.headers.some(([name]) => name === "Mautic-Version");
  if (hadVersion !== response.headers.has("mautic-version")) found.push("Mautic-Version differs");
  return found;
}

/** Compares the webhooks a request set off, in order for each receiver. */
export function deliveryDifferences(
  recorded: RecordedDelivery[],
  sent: SentDelivery[],
): string[] {
  const byPath = (items: { path: string }[]) => items.map((item) => item.path).sort().join(" ");
  if (byPath(recorded) !== byPath(sent)) {
    return [`deliveries: "${byPath(recorded)}" recorded, "${byPath(sent)}" now`];
  }
  const paths = new Set(recorded.map((item) => item.path));
  return [...paths].flatMap((path) => {
    const were = recorded.filter((item) => item.path === path);
    const are = sent.filter((item) => item.path === path);
    return were.flatMap((was, index) => {
      const is = are[index]?.body ?? "null";
      return differences(JSON.parse(was.body_raw), JSON.parse(is), `${path}#${index}`);
    });
  });
}
