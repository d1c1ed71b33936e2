/** Recorded cases the emulator does not cover, each with its reason. */

const reporting = "statistics of mails: not part of the outbound sync";
const companies = "companies as a resource: the sync writes only the contact's company field";
const page = "a page or pixel for people, no API";

export const NOT_COVERED: Record<string, string> = {
  "cli-campaigns-trigger": "campaign steps do not run in the emulator",
  "cli-campaigns-update": "campaign membership by segment is a cron's work",
  "company-add-contact": companies,
  "company-batch-new": companies,
  "company-new": companies,
  "company-new-no-name": companies,
  "company-new-same-name": companies,
  "company-remove-contact": companies,
  "contact-activity": "timeline: not used by the sync",
  "contacts-activity-all": "timeline: not used by the sync",
  "contact-devices": "devices: not used by the sync",
  "contact-notes": "notes: not used by the sync",
  "note-new": "notes: not used by the sync",
  "stage-new": "stages: not used by the sync",
  "email-new": reporting,
  "email-open-pixel": page,
  "email-send-to-404-contact": reporting,
  "email-send-to-contact": reporting,
  "email-send-to-contact-with-send-hook": reporting,
  "email-send-to-dnc-contact": reporting,
  "email-unsubscribe-bad-hash": page,
};
