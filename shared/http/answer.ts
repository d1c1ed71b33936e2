import { describeError } from "shared/errors/codes.ts";
import { maskAddresses } from "shared/lead/address.ts";
import type { Issue } from "shared/lead/issue.ts";
import type { SettingProblem } from "shared/settings/reader.ts";

/** The header that carries the correlation id, in and out. */
export const correlationHeader = "X-Correlation-ID";

/** Builds the answers to one request: every one with its correlation id and duration. */
export interface Answers {
  correlationId: string;
  /** `{"ok":true,"data":…,"correlationId","durationMs"}` */
  ok(data: unknown, status?: number): Response;
  /**
   * `{"ok":false,"error":{"code","message","remedy","details?"},"correlationId","durationMs"}`.
   * Status and remedy go by the code (shared/errors/codes.ts); addresses in the message are masked.
   */
  fail(code: string, message: string, extra?: FailureExtra): Response;
}

/** What {@link Answers.fail} takes: code, message and what else there is to say. */
export type Failure = Parameters<Answers["fail"]>;

/** The answer to everything while settings are missing or wrong: names them, shows no value. */
export function notConfigured(problems: SettingProblem[]): Failure {
  const names = problems.map((problem) => problem.variable).join(", ");
  return ["invalid_configuration", `Not configured: ${names}.`, { details: { problems } }];
}

export interface FailureExtra {
  details?: Issue[] | Record<string, unknown>;
  status?: number;
  headers?: Record<string, string>;
}

const wellFormed = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;

/**
 * The correlation id of a request: the caller's own where it is 1 to 128 letters, digits, `.`,
 * `_`, `:` or `-` (it goes into log lines and headers), else a new one.
 */
export function correlationIdOf(given: string | null, newId: () => string): string {
  const trimmed = given?.trim() ?? "";
  return wellFormed.test(trimmed) ? trimmed : newId();
}

/** Starts answering a request; durations count from here. `now` is in milliseconds. */
export function startAnswers(
  request: Request,
  { now, newId }: { now: () => number; newId: () => string },
): Answers {
  const startedAt = now();
  const correlationId = correlationIdOf(request.headers.get(correlationHeader), newId);

  function answer(status: number, body: object, headers: Record<string, string> = {}): Response {
    const durationMs = Math.max(0, Math.round(now() - startedAt));
    return new Response(JSON.stringify({ ...body, correlationId, durationMs }), {
      status,
      headers: {
        ...headers,
        "Content-Type": "application/json; charset=utf-8",
        "Cache-Control": "no-store",
        [correlationHeader]: correlationId,
      },
    });
  }

  return {
    correlationId,
    ok: (data, status = 200) => answer(status, { ok: true, data }),
    fail(code, message, extra = {}) {
      const { status, remedy } = describeError(code);
      const details = extra.details === undefined ? {} : { details: extra.details };
      const error = { code, message: maskAddresses(message), remedy, ...details };
      return answer(extra.status ?? status, { ok: false, error }, extra.headers);
    },
  };
}
