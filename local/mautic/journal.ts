/** What was asked of the emulator: a log, who was written twice at once, and waiting for either. */
import type { Clock } from "shared/runtime/clock.ts";
import { cleanEmail } from "./field_values.ts";
import { isObject } from "./php.ts";
import { collate, findContact, type State } from "./state.ts";
import type { ApiRequest, Json, JsonObject } from "./types.ts";

export interface RequestEntry {
  /** Counts from 1. */
  sequence: number;
  method: string;
  path: string;
  query: JsonObject;
  body: Json;
  /** `X-Correlation-ID`, when the caller sent one. */
  correlationId: string | null;
  /** Items of a batch, 1 for any other write, 0 for a read. */
  itemCount: number;
  /** Null until answered, and for ever when the connection was cut. */
  status: number | null;
  /** Milliseconds of the emulator's clock. */
  startedAt: number;
  endedAt: number | null;
  /** The fault that was injected, if any. */
  fault: string | null;
}

export interface Overlap {
  /** `email:<address>` or `id:<contact id>`. */
  person: string;
  first: RequestEntry;
  second: RequestEntry;
}

export interface Journal {
  entries: RequestEntry[];
  overlaps: Overlap[];
  maximumInFlight(): number;
  inFlight(): number;
  begin(request: ApiRequest): RequestEntry;
  /** After the server stopped working on it; `status` null when nobody got an answer. */
  end(entry: RequestEntry, status: number | null): void;
  /** Resolves with the next request that ends and matches. */
  waitForRequest(predicate: (entry: RequestEntry) => boolean): Promise<RequestEntry>;
  /** Resolves with the next request that begins and matches. */
  waitForStart(predicate: (entry: RequestEntry) => boolean): Promise<RequestEntry>;
  /** Resolves once the condition holds; looked at after every request and every `poke`. */
  waitFor(condition: () => boolean): Promise<void>;
  poke(): void;
}

interface Waiter {
  on: "start" | "end";
  look: (entry: RequestEntry) => boolean;
}

export function createJournal(clock: Clock, state: () => State): Journal {
  const entries: RequestEntry[] = [];
  const overlaps: Overlap[] = [];
  const writing = new Map<string, RequestEntry>();
  let waiters: Waiter[] = [];
  let conditions: { holds: () => boolean; resolve: () => void }[] = [];
  let inFlight = 0;
  let maximum = 0;

  function notify(on: Waiter["on"], entry: RequestEntry): void {
    waiters = waiters.filter((waiter) => waiter.on !== on || !waiter.look(entry));
    poke();
  }

  function poke(): void {
    conditions = conditions.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve();
      return false;
    });
  }

  function wait(on: Waiter["on"], predicate: (entry: RequestEntry) => boolean) {
    return new Promise<RequestEntry>((resolve) => {
      waiters.push({
        on,
        look(entry) {
          if (!predicate(entry)) return false;
          resolve(entry);
          return true;
        },
      });
    });
  }

  return {
    entries,
    overlaps,
    maximumInFlight: () => maximum,
    inFlight: () => inFlight,
    begin(request) {
      const entry: RequestEntry = {
        sequence: entries.length + 1,
        method: request.method,
        path: request.path,
        query: request.query,
        body: request.path.startsWith("/oauth") ? null : request.body,
        correlationId: request.headers.get("x-correlation-id"),
        itemCount: countItems(request),
        status: null,
        startedAt: clock.now(),
        endedAt: null,
        fault: null,
      };
      entries.push(entry);
      for (const person of personsWritten(request, state())) {
        const first = writing.get(person);
        if (first) overlaps.push({ person, first, second: entry });
        else writing.set(person, entry);
      }
      maximum = Math.max(maximum, ++inFlight);
      notify("start", entry);
      return entry;
    },
    end(entry, status) {
      entry.status = status;
      entry.endedAt = clock.now();
      inFlight--;
      for (const [person, holder] of writing) if (holder === entry) writing.delete(person);
      notify("end", entry);
    },
    waitForRequest: (predicate) => wait("end", predicate),
    waitForStart: (predicate) => wait("start", predicate),
    waitFor(condition) {
      if (condition()) return Promise.resolve();
      return new Promise((resolve) => conditions.push({ holds: condition, resolve }));
    },
    poke,
  };
}

function isWrite(request: ApiRequest): boolean {
  return request.method !== "GET" && request.path.startsWith("/api/");
}

function countItems(request: ApiRequest): number {
  if (!isWrite(request)) return 0;
  if (!request.path.includes("/batch/")) return 1;
  if (Array.isArray(request.body)) return request.body.length;
  return isObject(request.body) ? Object.keys(request.body).length : 1;
}

/** Every person a write touches, under each name it goes by: contact id and e-mail. */
function personsWritten(request: ApiRequest, state: State): Set<string> {
  const persons = new Set<string>();
  if (!isWrite(request)) return persons;
  const addId = (id: number) => {
    const contact = findContact(state, id);
    persons.add(`id:${contact?.id ?? id}`);
    const email = contact?.values.get("email");
    if (typeof email === "string") persons.add(`email:${collate(email)}`);
  };
  const inPath = /^\/api\/contacts\/(\d+)\//.exec(request.path) ??
    /^\/api\/(?:campaigns|segments)\/\d+\/contact\/(\d+)\//.exec(request.path);
  if (inPath) addId(Number(inPath[1]));
  if (!request.path.startsWith("/api/contacts/")) return persons;
  const isBatch = request.path.includes("/batch/");
  const items = Array.isArray(request.body)
    ? request.body
    : isBatch && isObject(request.body)
    ? Object.values(request.body)
    : [request.body];
  for (const item of items.filter(isObject)) {
    if (typeof item.email === "string") persons.add(`email:${collate(cleanEmail(item.email))}`);
    if (isBatch && item.id !== undefined) addId(Number(item.id));
  }
  return persons;
}
