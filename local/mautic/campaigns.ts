/**
 * Campaigns and who is in them (docs/mautic.md, "Campaigns"). Steps never run here: enrolled is not
 * mailed.
 */
import { created, failure, notFound, ok } from "./answers.ts";
import type { Call, Mautic } from "./mautic.ts";
import { isObject, isoDate, keyedById, toInteger } from "./php.ts";
import { campaignBasics, memberRow, serialiseCampaign, serialiseEvent } from "./campaign_json.ts";
import { findContact, nextId, type State } from "./state.ts";
import type { Answer, Author, Campaign, CampaignMember, JsonObject } from "./types.ts";
import { page } from "./where.ts";

export interface NewCampaign {
  name: string;
  isPublished?: boolean;
  allowRestart?: boolean;
}

export function insertCampaign(mautic: Mautic, author: Author, options: NewCampaign): Campaign {
  const campaign: Campaign = {
    id: nextId(mautic.state, "campaign"),
    name: options.name,
    description: null,
    isPublished: options.isPublished ?? true,
    allowRestart: options.allowRestart ?? false,
    events: [],
    segmentIds: [],
    canvasSettings: {},
    dateAdded: mautic.clock.now(),
    dateModified: null,
    createdBy: author,
    modifiedBy: author,
  };
  mautic.state.campaigns.set(campaign.id, campaign);
  return campaign;
}

/** Members who were not removed, in order of joining the table. */
export function campaignMembers(state: State, campaignId: number): CampaignMember[] {
  return [...state.campaignMembers.values()].filter((member) =>
    member.campaignId === campaignId && !member.manuallyRemoved
  );
}

export function listCampaigns({ mautic, request }: Call): Answer {
  const campaigns = [...mautic.state.campaigns.values()];
  const isMinimal = String(request.query.minimal ?? "") === "1";
  return ok({
    total: campaigns.length,
    campaigns: keyedById(
      page(campaigns, request.query, 30).map((campaign) => [
        String(campaign.id),
        isMinimal ? campaignBasics(campaign) : serialiseCampaign(mautic, campaign),
      ]),
    ),
  });
}

export function getCampaign(call: Call, id: number): Answer {
  const campaign = call.mautic.state.campaigns.get(id);
  return campaign ? ok({ campaign: serialiseCampaign(call.mautic, campaign) }) : notFound();
}

export function newCampaign({ mautic, actor, request }: Call): Answer {
  const body = isObject(request.body) ? request.body : {};
  const events = Array.isArray(body.events) ? body.events.filter(isObject) : [];
  if (events.length === 0) {
    return failure(
      400,
      "At least one event is required. Use the Launch Campaign Builder button to add one.",
    );
  }
  const campaign = insertCampaign(mautic, actor.author, {
    name: String(body.name ?? ""),
    isPublished: toInteger(body.isPublished) === 1,
    allowRestart: toInteger(body.allowRestart) === 1,
  });
  campaign.description = typeof body.description === "string" ? body.description : null;
  campaign.segmentIds = (Array.isArray(body.lists) ? body.lists : [])
    .map((list) => toInteger(isObject(list) ? list.id : list));
  const ids = new Map<string, number>();
  campaign.events = events.map((event) => {
    const id = nextId(mautic.state, "campaignEvent");
    ids.set(String(event.id), id);
    return serialiseEvent(id, event);
  });
  // The canvas names its nodes by the ids the client invented; the answer by the real ones.
  const canvas = JSON.stringify(isObject(body.canvasSettings) ? body.canvasSettings : {});
  campaign.canvasSettings = JSON.parse(
    [...ids].reduce((text, [sent, id]) => text.replaceAll(`"${sent}"`, `"${id}"`), canvas),
  );
  return created(
    { campaign: serialiseCampaign(mautic, campaign) },
    `/api/campaigns/${campaign.id}`,
  );
}

/** Raw membership rows, every value a string. */
export function listCampaignContacts({ mautic, request }: Call, id: number): Answer {
  if (!mautic.state.campaigns.has(id)) return notFound();
  const members = campaignMembers(mautic.state, id);
  return ok({
    total: String(members.length),
    contacts: page(members, request.query, 30).map(memberRow),
  });
}

/**
 * The same answer for added, already there, restarted and unpublished. A member starts over only
 * where the campaign allows a restart; someone who was removed always does.
 */
export function addToCampaign({ mautic }: Call, id: number, contactId: number): Answer {
  const campaign = mautic.state.campaigns.get(id);
  const contact = findContact(mautic.state, contactId);
  if (!campaign || !contact) return notFound();
  const now = mautic.clock.now();
  const key = `${id}:${contact.id}`;
  const member = mautic.state.campaignMembers.get(key);
  if (!member) {
    mautic.state.campaignMembers.set(key, {
      campaignId: id,
      contactId: contact.id,
      dateAdded: now,
      manuallyAdded: true,
      manuallyRemoved: false,
      dateLastExited: null,
      rotation: 1,
    });
  } else if (member.manuallyRemoved || campaign.allowRestart) {
    Object.assign(member, {
      dateAdded: now,
      manuallyAdded: true,
      manuallyRemoved: false,
      dateLastExited: null,
      rotation: member.rotation + 1,
    });
  }
  return ok({ success: 1 });
}

export function removeFromCampaign({ mautic }: Call, id: number, contactId: number): Answer {
  const campaign = mautic.state.campaigns.get(id);
  const contact = findContact(mautic.state, contactId);
  if (!campaign || !contact) return notFound();
  const member = mautic.state.campaignMembers.get(`${id}:${contact.id}`);
  if (member && !member.manuallyRemoved) {
    member.manuallyRemoved = true;
    member.manuallyAdded = false;
  }
  return ok({ success: 1 });
}

/** Published campaigns the contact is in; by Mautic's source, not those it was removed from. */
export function contactCampaigns({ mautic }: Call, contactId: number): Answer {
  const { state } = mautic;
  const contact = findContact(state, contactId);
  if (!contact) return notFound();
  const rows: [string, JsonObject][] = [];
  for (const campaign of state.campaigns.values()) {
    const member = state.campaignMembers.get(`${campaign.id}:${contact.id}`);
    if (!member || member.manuallyRemoved || !campaign.isPublished) continue;
    rows.push([String(campaign.id), {
      id: campaign.id,
      name: campaign.name,
      listMembership: campaign.segmentIds,
      dateAdded: isoDate(member.dateAdded),
      manuallyRemoved: member.manuallyRemoved,
      manuallyAdded: member.manuallyAdded,
    }]);
  }
  return ok({ total: rows.length, campaigns: keyedById(rows) });
}
