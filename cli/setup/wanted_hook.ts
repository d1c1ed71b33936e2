/** The webhook that brings back what people do in Mautic's mails. */
import type { MauticHook } from "./mautic_admin.ts";

export const wantedTrigger = "mautic.lead_channel_subscription_changed";
/** Mautic takes it for a webhook and shows it, but it never fires (docs/mautic.md, "Events"). */
export const deadTrigger = "mautic.email_on_bounce";

/** The hook that points at `url`, whatever its query: a published one first. */
export function findHook(hooks: MauticHook[], url: string): MauticHook | undefined {
  const ours = hooks.filter((hook) => addressOf(hook.webhookUrl) === addressOf(url));
  return ours.find((hook) => hook.isPublished) ?? ours[0];
}

/** Address without query, fragment and trailing slash; the query holds the secret. */
export function addressOf(url: string): string {
  if (!URL.canParse(url)) return "";
  const { origin, pathname } = new URL(url);
  return origin + pathname.replace(/\/+$/, "");
}
