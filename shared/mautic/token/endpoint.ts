import { z } from "zod";
import { describeError } from "shared/errors/codes.ts";
import { errorOfAnswer, wrongShape } from "shared/mautic/transport/answer_errors.ts";
import { MauticError } from "shared/mautic/transport/errors.ts";
import { send } from "shared/mautic/transport/transport.ts";
import type { Clock } from "shared/runtime/clock.ts";

const path = "/oauth/v2/token";

/** However long a token is said to live, another one is fetched after a day. */
const longestLifeMs = 24 * 3_600_000;

const tokenAnswer = z.object({
  /** What a header can carry: anything else would break, or add to, the headers of each call. */
  access_token: z.string().regex(/^[\x21-\x7e]{1,8192}$/, "not a bearer token"),
  /** Seconds. Absent or senseless: the token serves for this once. */
  expires_in: z.coerce.number().catch(0),
});

export interface FetchedToken {
  token: string;
  expiresInMs: number;
}

/**
 * Asks Mautic for an access token by client credentials. One try. Asking twice is harmless: older
 * tokens stay valid.
 *
 * @throws {MauticError} `oauth_refused` (400: wrong or unfit credentials, for a person to correct),
 * `api_disabled`, `bad_answer`, and passing trouble
 */
export async function fetchToken(
  { baseUrl, clientId, clientSecret, fetch, clock, timeoutMs }: {
    baseUrl: string;
    clientId: string;
    clientSecret: string;
    fetch: typeof globalThis.fetch;
    clock: Clock;
    timeoutMs: number;
  },
): Promise<FetchedToken> {
  const answer = await send({
    method: "POST",
    url: baseUrl + path,
    headers: { Accept: "application/json" },
    // In the body: HTTP Basic is a 403 here as long as the API's basic authentication is off, which
    // is the default (docs/mautic.md, "Access tokens").
    form: new URLSearchParams({
      grant_type: "client_credentials",
      client_id: clientId,
      client_secret: clientSecret,
    }),
    timeoutMs,
    changes: false,
    secrets: [clientSecret],
  }, { fetch, clock });

  const error = errorOfAnswer(answer, { baseUrl, path, changes: false, now: clock.now() });
  if (error?.status === 400 || error?.status === 401) {
    throw new MauticError(
      "oauth_refused",
      `${error.message}. ${describeError("oauth_refused").remedy}`,
      {
        status: error.status,
      },
    );
  }
  if (error) throw error;
  const parsed = tokenAnswer.safeParse(answer.json);
  if (!parsed.success) throw wrongShape("no access_token", { changes: false });
  return {
    token: parsed.data.access_token,
    expiresInMs: Math.min(longestLifeMs, Math.max(0, parsed.data.expires_in * 1_000)),
  };
}
