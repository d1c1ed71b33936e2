import { getJsonLinesFormatter, type LogLevel, type LogRecord } from "@logtape/logtape";
import { JWT_PATTERN, redactByField, redactByPattern } from "@logtape/redaction";
import { maskAddresses } from "shared/lead/address.ts";

export type LogValues = Record<string, unknown>;

/**
 * A log of events: a name in snake_case and what belongs to it. E-mail addresses are masked and
 * secrets removed wherever they occur; logging never raises.
 */
export interface Log {
  debug(event: string, values?: LogValues): void;
  info(event: string, values?: LogValues): void;
  warn(event: string, values?: LogValues): void;
  error(event: string, values?: LogValues): void;
  /** The same log with values that every line carries, e.g. `correlationId`. */
  with(values: LogValues): Log;
}

export interface LogOptions {
  /** The part of the product that logs, e.g. `mautic-sync`. */
  name: string;
  /** Takes a finished line (JSON, without the line end). */
  write(line: string, level: LogLevel): void;
  /** Milliseconds since the epoch. */
  now(): number;
  values?: LogValues;
}

const redacted = "[redacted]";

/** Names of texts that are never shown, whatever they hold; a number or a yes/no says no secret. */
const secretField =
  /secret|token|password|passwd|authorization|cookie|api_?key|service_?role|signature|sealed|bearer/i;

/** What gives a secret away inside a text. */
const secretTexts = [
  JWT_PATTERN,
  { pattern: /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{4,}/gi, replacement: `$1 ${redacted}` },
  { pattern: /\bsb_secret_[A-Za-z0-9_-]+/g, replacement: redacted },
  // A sealed access token (mautic/token/seal.ts), or what is left of one.
  { pattern: /\bv1\.[A-Za-z0-9+/]{12,}=*/g, replacement: redacted },
  {
    pattern:
      /\b([a-z_-]*(?:secret|token|password|api_?key|authorization)[a-z_-]*(?:=|%3D|\\?"\s*:\s*\\?"))[^&\s"'\\]+/gi,
    replacement: `$1${redacted}`,
  },
  // user:password@ in a URL
  { pattern: /(\w+:\/\/)[^\s/@"]+@/g, replacement: `$1${redacted}@` },
];

/**
 * Makes a log that writes JSON lines through logtape's formatter and redaction. Logtape's global
 * configuration is not used: who logs is given a log, so that tests and processes have their own.
 */
export function createLog({ name, write, now, values: always = {} }: LogOptions): Log {
  const format = redactByPattern(
    getJsonLinesFormatter({ properties: "flatten", message: "rendered" }),
    secretTexts,
  );
  const sink = redactByField((record) => write(onOneLine(format(record)), record.level), {
    fieldPatterns: [secretField],
    action: (value) => typeof value === "boolean" || typeof value === "number" ? value : redacted,
  });

  function emit(level: LogLevel, event: string, values: LogValues): void {
    try {
      const message = maskAddresses(String(event).slice(0, maxName));
      const record: LogRecord = {
        category: [name],
        level,
        message: [message],
        rawMessage: message,
        timestamp: now(),
        properties: withoutReserved(plainObject({ ...always, ...values }, 0)),
      };
      sink(record);
    } catch {
      // What is being done matters more than the line about it.
      attempt(() => write(JSON.stringify({ level, message: "log_failed", logger: name }), level));
    }
  }

  return {
    debug: (event, values = {}) => emit("debug", event, values),
    info: (event, values = {}) => emit("info", event, values),
    warn: (event, values = {}) => emit("warning", event, values),
    error: (event, values = {}) => emit("error", event, values),
    with: (values) => createLog({ name, write, now, values: { ...always, ...values } }),
  };
}

/**
 * JSON leaves signs as they are that end a line for some readers, or that a terminal obeys. They
 * can only be within a text, so they can be escaped.
 */
function onOneLine(json: string): string {
  return json.trimEnd().replace(
    // deno-lint-ignore no-control-regex -- these are what it is about
    /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069\ufeff]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Writes lines where Supabase collects them: warnings and errors to stderr, the rest to stdout. */
export function writeToConsole(line: string, level: LogLevel): void {
  // The edge runtime collects what the console gets, not what is written to the descriptors.
  // deno-lint-ignore no-console
  if (level === "warning" || level === "error" || level === "fatal") console.error(line);
  // deno-lint-ignore no-console
  else console.log(line);
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // Nowhere left to say it.
  }
}

/** A log that goes nowhere. */
export const silentLog: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

const maxDepth = 5;
const maxEntries = 50;
const maxText = 2_000;
/** Of an event or a value: a longer one is none of ours. */
const maxName = 200;

/** Turns anything into what JSON can hold, bounded, with addresses masked. */
function plain(value: unknown, depth: number): unknown {
  if (typeof value === "string") {
    return maskAddresses(value.length > maxText ? `${value.slice(0, maxText)}…` : value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value);
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object") return undefined;
  if (value instanceof Error) return plainObject(describe(value), depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= maxDepth) return "[nested]";
  if (Array.isArray(value)) return value.slice(0, maxEntries).map((each) => plain(each, depth + 1));
  return plainObject(value, depth + 1);
}

function plainObject(value: object, depth: number): Record<string, unknown> {
  const entries = Object.keys(value).slice(0, maxEntries).map((key): [string, unknown] => {
    try {
      return [maskAddresses(key.slice(0, maxName)), plain(Reflect.get(value, key), depth)];
    } catch {
      return [maskAddresses(key.slice(0, maxName)), "[unreadable]"];
    }
  });
  return Object.fromEntries(entries);
}

/** Logtape's flat lines let a value overwrite what the line itself says: such a value is renamed. */
function withoutReserved(values: Record<string, unknown>): Record<string, unknown> {
  const reserved = ["@timestamp", "level", "message", "logger"];
  return Object.fromEntries(
    Object.entries(values).map((
      [name, value],
    ) => [reserved.includes(name) ? `value.${name}` : name, value]),
  );
}

/** What tells one error from another, without its stack. */
function describe(error: Error): LogValues {
  const code: unknown = Reflect.get(error, "code");
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === "string" ? { code } : {}),
    ...(error.cause instanceof Error ? { cause: error.cause.message } : {}),
  };
}
