import assert from "node:assert/strict";
import type { Hook } from "../../local/mautic/types.ts";
import type { Stack } from "../../local/stack.ts";
import {
  askAboutMautic,
  type Fault,
  plantEach,
  type Planted,
  redirectTo,
  soundStack,
} from "./support.ts";

const faults: Fault[] = [
  {
    title: "a Mautic address that redirects",
    plant: (stack) => redirectTo(stack.ready.mauticUrl, "MAUTIC_BASE_URL"),
    expected: ["fail mautic.address", "warn webhook.exists"],
  },
  {
    title: "a Mautic that is down",
    plant: async ({ mautic }) => {
      await mautic.setDown(true);
      return { undo: () => mautic.setDown(false) };
    },
    expected: ["fail mautic.address", "warn webhook.exists"],
  },
  {
    title: "an API that is switched off",
    plant: ({ mautic }) => {
      mautic.settings.apiEnabled = false;
      return {
        undo: () => {
          mautic.settings.apiEnabled = true;
        },
      };
    },
    expected: ["fail mautic.api", "warn webhook.exists"],
  },
  {
    title: "a wrong client secret",
    plant: () => Promise.resolve({ env: { MAUTIC_CLIENT_SECRET: "not-the-secret" } }),
    expected: ["fail mautic.credentials", "warn webhook.exists"],
  },
  {
    title: "a contact field that is missing",
    plant: (stack) =>
      mapped(stack, "hki_utm_term", { alias: "nobody_made_this", part: "utm_term" }),
    expected: ["fail mautic.field.nobody_made_this"],
  },
  {
    title: "a contact field of the wrong type",
    plant: (stack) => {
      stack.mautic.addField({ alias: "score_as_text", type: "text" });
      return mapped(stack, "hki_score", { alias: "score_as_text", part: "score" });
    },
    expected: ["fail mautic.field.score_as_text"],
  },
  {
    title: "a field that Mautic requires, and that leads fill",
    plant: (stack) => required(stack, "phone"),
    expected: [],
  },
  {
    title: "a field that Mautic requires, and that no lead fills",
    plant: (stack) => required(stack, "city"),
    expected: ["fail mautic.required_fields"],
  },
  {
    title: "a campaign that is not published",
    plant: ({ mautic }) => {
      const id = mautic.addCampaign({ name: "Draft", isPublished: false });
      return { env: { MAUTIC_CAMPAIGN_HIGH_VALUE: String(id) } };
    },
    expected: ["fail mautic.campaign"],
  },
  {
    title: "a campaign that does not exist",
    plant: () => Promise.resolve({ env: { MAUTIC_CAMPAIGN_HIGH_VALUE: "4711" } }),
    expected: ["fail mautic.campaign"],
  },
  {
    title: "a webhook that Mautic switched off",
    plant: (stack) => hookChanged(stack, { isPublished: false }),
    expected: ["fail webhook.published"],
  },
  {
    title: "a webhook for an event that never fires",
    plant: (stack) => hookChanged(stack, { triggers: ["mautic.email_on_bounce"] }),
    expected: ["fail webhook.triggers"],
  },
  {
    title: "a webhook that has the event that never fires beside the right one",
    plant: (stack) =>
      hookChanged(stack, {
        triggers: ["mautic.lead_channel_subscription_changed", "mautic.email_on_bounce"],
      }),
    expected: ["warn webhook.triggers"],
  },
  {
    title: "a webhook that points elsewhere",
    plant: (stack) =>
      hookChanged(stack, { webhookUrl: "https://old.example.com/functions/v1/mautic-webhook" }),
    expected: ["fail webhook.exists"],
  },
  {
    title: "a webhook that an API client made",
    plant: (stack) => hookChanged(stack, { createdBy: { id: null, name: "Supabase Sync [1]" } }),
    expected: ["warn webhook.owner"],
  },
  {
    title: "a webhook with a wrong secret in its address",
    plant: (stack) =>
      hookChanged(stack, { webhookUrl: `${stack.ready.functionsUrl}/mautic-webhook?secret=old` }),
    expected: ["fail webhook.secret", "fail webhook.accepts_delivery"],
  },
  {
    title: "a webhook without a secret in its address",
    plant: (stack) =>
      hookChanged(stack, { webhookUrl: `${stack.ready.functionsUrl}/mautic-webhook` }),
    expected: ["fail webhook.secret", "fail webhook.accepts_delivery"],
  },
  {
    title: "a webhook that signs with another key",
    plant: () =>
      Promise.resolve({ env: { MAUTIC_WEBHOOK_SIGNING_KEY: "not-the-key-of-the-webhook" } }),
    expected: ["fail webhook.secret"],
  },
  {
    title: "no secret for the webhook",
    plant: () => Promise.resolve({ env: { MAUTIC_WEBHOOK_SECRET: "" } }),
    expected: ["fail webhook.secret"],
  },
  {
    title: "settings that are incomplete",
    plant: () => Promise.resolve({ env: { MAUTIC_CLIENT_SECRET: "" } }),
    expected: ["warn webhook.exists"],
  },
];

Deno.test("each fault planted in Mautic and its webhook is named", async (t) => {
  await using stack = await soundStack();
  await plantEach(t, { stack, faults, ask: askAboutMautic });
});

function hookChanged({ mautic }: Stack, changes: Partial<Hook>): Planted {
  const [hook] = mautic.hooks.values();
  assert.ok(hook);
  const before = { ...hook };
  Object.assign(hook, changes);
  return {
    undo: () => {
      Object.assign(hook, before);
    },
  };
}

/** What went to one field goes to another. */
async function mapped(
  { sql }: Stack,
  from: string,
  to: { alias: string; part: string },
): Promise<Planted> {
  const move = async (gone: string, alias: string) => {
    await sql`select mautic.unmap_field(${gone})`;
    await sql`select mautic.map_field(${alias}, "from" => ${to.part})`;
  };
  await move(from, to.alias);
  return { undo: () => move(to.alias, from) };
}

function required({ mautic }: Stack, alias: string): Planted {
  mautic.requireField(alias, true);
  return { undo: () => mautic.requireField(alias, false) };
}
