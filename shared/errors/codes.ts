/** What a caller is told with an error code: the HTTP status and what to do about it. */
export interface ErrorDescription {
  status: number;
  remedy: string;
}

const replay = "then replay the lead: select mautic.replay('<lead id>')";

const later = "Try again later; queued leads are sent by themselves.";

/**
 * Every error code that an answer, a log line or a dead letter may carry, and the one place where
 * its remedy is worded: a message says what happened, the remedy what to do about it. Codes are
 * stable: people and programs match on them. Texts are for people and may change.
 */
const descriptions = {
  // What the caller sent.
  method_not_allowed: { status: 405, remedy: "See the Allow header for what is served." },
  unauthorized: {
    status: 401,
    remedy: "Send a Supabase secret key in the apikey header, or the service-role key as bearer.",
  },
  proof_refused: {
    status: 401,
    remedy:
      "In Mautic, let the webhook's URL end in ?secret=<MAUTIC_WEBHOOK_SECRET>, or enter MAUTIC_WEBHOOK_SIGNING_KEY as its secret.",
  },
  body_too_large: { status: 413, remedy: "Send a smaller body." },
  body_too_slow: { status: 408, remedy: "Send the body at once, and end it." },
  invalid_json: { status: 400, remedy: "Send a JSON object with content type application/json." },
  invalid_body: { status: 400, remedy: "Correct the fields named in details." },
  invalid_lead: {
    status: 422,
    remedy: "Nothing where the lead was deleted; else put its row back, which sends it again.",
  },
  invalid_email: {
    status: 422,
    remedy: "Correct the e-mail address; the edit sends the lead again.",
  },

  // Configuration.
  invalid_configuration: {
    status: 503,
    remedy: "Correct the variables named in details: supabase secrets set NAME=value.",
  },
  supabase_not_configured: {
    status: 503,
    remedy: "Set SUPABASE_URL and SUPABASE_SECRET_KEYS (on Supabase they are set by themselves).",
  },
  oauth_refused: {
    status: 502,
    remedy:
      "Mautic refuses the API credentials: check MAUTIC_CLIENT_ID and MAUTIC_CLIENT_SECRET against Settings > API Credentials (OAuth 2, created by a full administrator).",
  },
  api_disabled: {
    status: 502,
    remedy: "Enable the API in Mautic: Settings > Configuration > API Settings.",
  },
  forbidden: {
    status: 502,
    remedy:
      "Give the role of the API credential the rights to view, create and edit contacts and campaigns of others.",
  },
  mautic_unauthorized: {
    status: 502,
    remedy:
      "Mautic refuses a fresh token: see that its web server passes the Authorization header on to PHP.",
  },
  bad_answer: {
    status: 502,
    remedy: "See that MAUTIC_BASE_URL is the address of Mautic itself, without a redirect.",
  },

  // What Mautic makes of a lead.
  duplicate_contact: {
    status: 409,
    remedy:
      `Merge the contacts that share the e-mail in Mautic (bin/console mautic:contacts:deduplicate), ${replay}.`,
  },
  validation_failed: { status: 422, remedy: "Correct the fields that Mautic names." },
  field_refused: {
    status: 422,
    remedy: `Correct the lead, or the field in Mautic, ${replay}.`,
  },
  required_field: {
    status: 422,
    remedy:
      "Untick Required of the field in Mautic (Settings > Custom Fields), or send it: select mautic.map_field('<alias>', '<column>'); what waits goes out by itself.",
  },
  not_found: { status: 404, remedy: "Check the id in Mautic." },
  contact_not_found: { status: 404, remedy: "Check the contact's id in Mautic." },
  campaign_not_found: {
    status: 404,
    // One wrong setting stops many leads.
    remedy:
      "Set MAUTIC_CAMPAIGN_HIGH_VALUE to the id of a campaign, then replay all that it stopped: select mautic.replay_where(dead_reason => 'campaign_not_found').",
  },
  not_mailable: {
    status: 409,
    remedy: "The person opted out, bounced or complained; nobody is enrolled against that.",
  },
  mautic_failed: {
    status: 502,
    remedy:
      `Look into Mautic's log (var/logs) for the plugin, trigger or webhook that fails, ${replay}.`,
  },

  // What the database makes of a lead.
  unreadable: {
    status: 503,
    remedy: "Run the mautic.attach(...) of this table again (deno task doctor names the column).",
  },

  // Passing trouble.
  rate_limited: { status: 503, remedy: later },
  server_failed: { status: 502, remedy: `${later} If it stays, look into Mautic's log.` },
  unavailable: { status: 503, remedy: `${later} If it stays, see that Mautic is up.` },
  ambiguous: {
    status: 504,
    remedy: "Mautic may or may not have done it; the same request may be sent again in a minute.",
  },
  lease_too_short: { status: 503, remedy: later },
  busy: { status: 409, remedy: "Another request for this person is under way; try again." },
  sync_late: {
    status: 503,
    remedy: "See select * from mautic.status: is it paused, is Mautic in trouble, does cron run?",
  },
  not_live: {
    status: 503,
    remedy: "Nobody has said yet that this project sends to this Mautic: select mautic.go_live();",
  },
  paused: { status: 503, remedy: "An operator paused sending; select mautic.resume() ends it." },
  retry_later: { status: 503, remedy: later },
  database_unavailable: { status: 503, remedy: later },
  internal: { status: 500, remedy: "Look into the function's log by the correlation id." },
} as const satisfies Record<string, ErrorDescription>;

export type ErrorCode = keyof typeof descriptions;

/** What an item of the outbox can be given up for, as a dead letter. */
export const deadReasons = [
  "invalid_email",
  "invalid_lead",
  "duplicate_contact",
  "field_refused",
  "campaign_not_found",
  "mautic_failed",
] as const satisfies readonly ErrorCode[];
export type DeadReason = (typeof deadReasons)[number];

/** All codes with their HTTP status and remedy, e.g. for the documentation. */
export const errorDescriptions: Readonly<Record<ErrorCode, ErrorDescription>> = descriptions;

/** The status and remedy of a code; a code nobody knows is described as `internal`. */
export function describeError(code: string): ErrorDescription {
  const known = Object.entries(errorDescriptions).find(([each]) => each === code);
  return known ? known[1] : descriptions.internal;
}
