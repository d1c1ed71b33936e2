/** Campaigns and their members as rows and as the API shows them. */
import type { Mautic } from "./mautic.ts";
import { isoDate, sqlDate, toInteger } from "./php.ts";
import type { Campaign, CampaignMember, JsonObject } from "./types.ts";

/** The row as `campaign_leads` shows it; a NULL date is left out. */
export function memberRow(member: CampaignMember): Record<string, string> {
  return {
    campaign_id: String(member.campaignId),
    lead_id: String(member.contactId),
    date_added: sqlDate(member.dateAdded),
    manually_removed: member.manuallyRemoved ? "1" : "0",
    manually_added: member.manuallyAdded ? "1" : "0",
    ...(member.dateLastExited === null ? {} : { date_last_exited: sqlDate(member.dateLastExited) }),
    rotation: String(member.rotation),
  };
}

/** What a minimal list shows. */
export function campaignBasics(campaign: Campaign): JsonObject {
  return {
    isPublished: campaign.isPublished,
    dateAdded: isoDate(campaign.dateAdded),
    dateModified: isoDate(campaign.dateModified),
    createdBy: campaign.createdBy.id,
    createdByUser: campaign.createdBy.name,
    modifiedBy: campaign.modifiedBy.id,
    modifiedByUser: campaign.modifiedBy.name,
    id: campaign.id,
    name: campaign.name,
    category: null,
    description: campaign.description,
  };
}

export function serialiseCampaign(mautic: Mautic, campaign: Campaign): JsonObject {
  return {
    ...campaignBasics(campaign),
    allowRestart: campaign.allowRestart,
    publishUp: null,
    publishDown: null,
    events: campaign.events,
    forms: [],
    lists: campaign.segmentIds.flatMap((id) => {
      const segment = mautic.state.segments.get(id);
      return segment
        ? [{
          createdByUser: segment.createdBy.name,
          modifiedByUser: null,
          id,
          name: segment.name,
          publicName: segment.name,
          alias: segment.alias,
          description: segment.description,
          category: null,
        }]
        : [];
    }),
    canvasSettings: campaign.canvasSettings,
  };
}

export function serialiseEvent(id: number, event: JsonObject): JsonObject {
  const text = (key: string) => event[key] ?? null;
  return {
    id,
    name: text("name"),
    description: text("description"),
    type: text("type"),
    eventType: text("eventType"),
    channel: null,
    channelId: null,
    order: toInteger(event.order),
    properties: event.properties ?? {},
    triggerDate: null,
    triggerInterval: toInteger(event.triggerInterval),
    triggerIntervalUnit: text("triggerIntervalUnit"),
    triggerHour: null,
    triggerRestrictedStartHour: null,
    triggerRestrictedStopHour: null,
    triggerRestrictedDaysOfWeek: [],
    triggerMode: text("triggerMode"),
    decisionPath: text("decisionPath"),
    parent: null,
    children: [],
  };
}
