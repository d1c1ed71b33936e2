/** Mautic's error bodies, of which there are four shapes (docs/mautic.md, "Errors"). */
import type { Answer, Json, JsonObject } from "./types.ts";

export function ok(body: Json, status = 200, headers?: Record<string, string>): Answer {
  return headers === undefined ? { status, body } : { status, body, headers };
}

export function created(body: Json, location: string): Answer {
  return { status: 201, body, headers: { Location: location } };
}

/** An answer of the API controllers: `details` present, no `type`. */
export function failure(status: number, message: string, details: Json = []): Answer {
  return { status, body: { errors: [{ code: status, message, details }] } };
}

export const notFound = (): Answer => failure(404, "Item was not found.");
export const contactNotFound = (): Answer => failure(404, "Contact not found.");
export const accessDenied = (): Answer =>
  failure(403, "You do not have access to the requested area/action.");
export const badRequest = (): Answer => failure(400, "This is a bad request.");

/** An answer of the OAuth and firewall layer: `type`, no `details`. */
export function refusal(status: number, type: string, message: string): Answer {
  return { status, body: { errors: [{ message, code: status, type }] } };
}

/** What an uncaught exception inside Mautic answers. */
export function exception(status: number): Answer {
  const message = `Looks like I encountered an error (error #${status}). ` +
    "If I do it again, please report me to the system administrator!";
  const body = { errors: [{ message, code: status, type: null }] };
  return { status, body, isUnversioned: true };
}

export function routeNotFound(path: string): Answer {
  const message = `Requested URL not found: ${path}`;
  const body = { errors: [{ message, code: 404, type: null }] };
  return { status: 404, body, isUnversioned: true };
}

/** Messages by field, in the order of the form. */
export type FieldErrors = [alias: string, messages: string[]][];

/** The inside of a validation error: the message repeats the details as one line. */
export function validationError(status: number, errors: FieldErrors): JsonObject {
  return {
    code: status,
    message: errors.map(([alias, messages]) => `${alias}: ${messages.join(", ")}`).join(", "),
    details: Object.fromEntries(errors),
  };
}

export function invalid(status: number, errors: FieldErrors): Answer {
  return { status, body: { errors: [validationError(status, errors)] } };
}

/** Thrown where Mautic throws: the request answers 500, what was saved before stays saved. */
export class ServerException extends Error {
  override name = "ServerException";
}
