import { errorDescriptions } from "shared/errors/codes.ts";
import type { MauticError } from "shared/mautic/transport/errors.ts";
import type { Leased, Result } from "./item.ts";

/** Nobody edits a lead for it: it waits for who changes the field in Mautic, or the mapping. */
const requiredDelayMs = 600_000;

/** Fields that Mautic requires, by whether the lead could have filled them. */
export interface Required {
  /** Mapped, and blank in this lead. */
  lacking: string[];
  /** Nothing of the lead goes there. */
  unsent: string[];
}

/**
 * The fields for which alone Mautic refuses a lead, because it requires them (recorded:
 * company-new-no-name, whose form checks as that of contacts does); undefined: it refuses something
 * else.
 */
export function requiredOf({ fields }: Leased, error: MauticError): Required | undefined {
  const refused = Object.entries(error.fieldErrors);
  const isForThat = error.code === "validation_failed" && refused.length > 0 &&
    refused.every(([, said]) => said.some((text) => /\brequired\b/i.test(text)));
  if (!isForThat || fields === null) return undefined;
  const isMapped = (alias: string) =>
    Object.hasOwn(fields.desired, alias) || Object.hasOwn(fields.payload.fields, alias);
  const aliases = refused.map(([alias]) => alias);
  return {
    lacking: aliases.filter(isMapped),
    unsent: aliases.filter((alias) => !isMapped(alias)),
  };
}

/**
 * Puts a lead back that Mautic refuses for fields which no lead like it sends: no edit of it would
 * help, so it is no dead letter, and goes out by itself once the fields are free or mapped.
 */
export function postponedAsRequired(unsent: string[]): Result {
  return {
    result: "postponed",
    delay_ms: requiredDelayMs,
    error_code: "required_field",
    error_message: `${areRequired(unsent)}, and nothing is sent to ${
      unsent.length === 1 ? "it" : "them"
    }.`,
    error_remedy: errorDescriptions.required_field.remedy,
  };
}

/** `branche is required in Mautic` */
export function areRequired(aliases: string[]): string {
  return `${aliases.join(", ")} ${aliases.length === 1 ? "is" : "are"} required in Mautic`;
}
