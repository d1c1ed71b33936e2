/** A step in words, without any secret. */
import type { Step } from "./plan.ts";
import { addressOf } from "./wanted_hook.ts";

/** One line, or for steps by hand a title and indented lines. */
export function describeStep(step: Step): string[] {
  switch (step.kind) {
    case "create_field":
      return [
        `create contact field ${step.field.alias} (${step.field.type}, "${step.field.label}")`,
      ];
    case "write_secret":
      return [
        step.name === "mautic_sync_url"
          ? `write Vault secret mautic_sync_url = ${addressOf(step.value)}`
          : "write Vault secret mautic_sync_key (a secret key, not shown)",
      ];
    case "create_hook":
      return [`create webhook "${step.hook.name}" to ${addressOf(step.hook.url)}`];
    case "edit_hook":
      return [`edit webhook ${step.id}: ${Object.keys(step.changes).join(", ")}`];
    case "go_live":
      return [
        `let project ${step.pair.project} send to ${step.pair.origin}`,
        ...step.lines.map((line) => `    ${line}`),
      ];
    case "by_hand":
      return [`by hand: ${step.title}`, ...step.lines.map((line) => `    ${line}`)];
  }
}
