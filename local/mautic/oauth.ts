/** The token endpoint and who a request comes from (docs/mautic.md, "Access tokens"). */
import { refusal } from "./answers.ts";
import type { Mautic } from "./mautic.ts";
import { isObject } from "./php.ts";
import { BASE64URL, randomText } from "./random.ts";
import type { Actor, Answer, ApiRequest, JsonObject } from "./types.ts";

export interface Client {
  id: string;
  secret: string;
  /** The name of the credential; `createdByUser` reads `<name> [<row id>]`. */
  name: string;
}

interface Token {
  expiresAt: number;
}

export interface Authority {
  /** Answers `POST` and `GET /oauth/v2/token`. */
  token(request: ApiRequest): Answer;
  /** The caller of an `/api` request, or the refusal. */
  identify(request: ApiRequest): Actor | Answer;
  revokeTokens(): void;
  tokensIssued(): number;
}

const GRANTS = ["authorization_code", "token", "password", "client_credentials", "refresh_token"];
const invalidClient = "The client credentials are invalid";

export function createAuthority(mautic: Mautic, client: Client): Authority {
  const tokens = new Map<string, Token>();
  let issued = 0;
  const { settings, clock } = mautic;

  function token(request: ApiRequest): Answer {
    if (!settings.apiEnabled) return apiDisabled();
    const basic = readBasic(request.headers);
    if (basic && !settings.basicAuthEnabled) return basicDisabled();
    const input: JsonObject = request.method === "GET"
      ? request.query
      : isObject(request.body)
      ? request.body
      : {};
    const grant = String(input.grant_type ?? "");
    if (!GRANTS.includes(grant)) {
      const message = "Invalid grant_type parameter or parameter missing";
      return refusal(400, "invalid_request", message);
    }
    const id = basic ? basic.user : input.client_id;
    const secret = basic ? basic.password : input.client_secret;
    if (id === undefined || id === "") {
      return refusal(400, "invalid_client", "Client id was not found in the headers or body");
    }
    // deno-lint-ignore lead-sync/secret-comparison -- the emulator guards nothing
    if (id !== client.id || secret !== client.secret) {
      return refusal(400, "invalid_client", invalidClient);
    }
    if (grant !== "client_credentials") {
      const message = "The grant type is unauthorized for this client_id";
      return refusal(400, "unauthorized_client", message);
    }
    if (input.scope !== undefined && input.scope !== "") {
      return refusal(400, "invalid_scope", "An unsupported scope was requested.");
    }
    issued++;
    const accessToken = (mautic.secretMark + randomText(mautic.random, 86, BASE64URL)).slice(0, 86);
    const lifetime = settings.tokenLifetimeSeconds;
    tokens.set(accessToken, { expiresAt: clock.now() + lifetime * 1000 });
    return {
      status: 200,
      body: {
        access_token: accessToken,
        expires_in: lifetime,
        token_type: "bearer",
        scope: null,
      },
      headers: { "Cache-Control": "no-store, private", Pragma: "no-cache" },
    };
  }

  function identify(request: ApiRequest): Actor | Answer {
    if (!settings.apiEnabled) return apiDisabled();
    const found = bearerTokens(request);
    if (found.length > 1) {
      return refusal(
        400,
        "invalid_request",
        "Only one method may be used to authenticate at a time (Auth header, GET or POST).",
      );
    }
    const [sent] = found;
    if (sent !== undefined) {
      const known = tokens.get(sent);
      if (!known) return refusal(401, "invalid_grant", "The access token provided is invalid.");
      if (known.expiresAt <= clock.now()) {
        return refusal(401, "invalid_grant", "The access token provided has expired.");
      }
      const name = `${client.name} [${client.id.split("_")[0]}]`;
      return { author: { id: null, name }, isAdmin: true, bucket: sent };
    }
    const basic = readBasic(request.headers);
    if (!basic) return refusal(401, "access_denied", "API authorization denied.");
    if (!settings.basicAuthEnabled) return basicDisabled();
    const user = mautic.users.find((item) =>
      // deno-lint-ignore lead-sync/secret-comparison -- the emulator guards nothing
      item.username === basic.user && item.password === basic.password
    );
    if (!user) {
      return refusal(401, "access_denied", "Authorization denied, invalid credentials.");
    }
    const author = { id: user.id, name: `${user.firstName} ${user.lastName}` };
    return { author, isAdmin: user.isAdmin, bucket: "basic" };
  }

  return { token, identify, revokeTokens: () => tokens.clear(), tokensIssued: () => issued };
}

/** Header (the scheme matches with a capital B only), query, and form body. */
function bearerTokens(request: ApiRequest): string[] {
  const header = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  const isForm = request.headers.get("content-type")?.includes("form-urlencoded");
  const inBody = isForm && isObject(request.body) ? request.body.access_token : undefined;
  return [header, request.query.access_token, inBody].filter((item) => typeof item === "string");
}

function readBasic(headers: Headers): { user: string; password: string } | null {
  const encoded = /^Basic\s+(\S+)$/i.exec(headers.get("authorization") ?? "")?.[1];
  if (encoded === undefined) return null;
  let decoded: string;
  try {
    decoded = atob(encoded);
  } catch {
    return { user: "", password: "" };
  }
  const colon = decoded.indexOf(":");
  return { user: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function apiDisabled(): Answer {
  const message =
    "API disabled. You need to enable the API in the API settings of Mautic's Configuration.";
  return refusal(403, "api_disabled", message);
}

function basicDisabled(): Answer {
  const message = "Basic Auth disabled. You need to enable HTTP basic auth in the API settings " +
    "of Mautic's Configuration.";
  return refusal(403, "access_denied", message);
}
