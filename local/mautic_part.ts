/** The stack's Mautic: the emulator, a real one, or none. */
import {
  type MauticEmulator,
  type MauticEmulatorOptions,
  startMauticEmulator,
} from "./mautic/emulator.ts";

/** Where a real Mautic is, and the credentials of an API client in it. */
export type MauticConnection = { baseUrl: string; clientId: string; clientSecret: string };

export type MauticPart = {
  connection: MauticConnection | undefined;
  emulator: MauticEmulator | undefined;
  /** The campaign for high-value leads, where we know it. */
  campaignId: number | undefined;
};

/** Starts the emulator where it is wanted, with a webhook to `webhookUrl`. */
export async function startMautic(
  wanted: MauticEmulatorOptions | MauticConnection | false,
  functionsFolder: URL,
  webhookUrl: string,
): Promise<MauticPart> {
  if (wanted === false) {
    return { connection: undefined, emulator: undefined, campaignId: undefined };
  }
  if ("baseUrl" in wanted) {
    return { connection: wanted, emulator: undefined, campaignId: undefined };
  }
  const emulator = await startMauticEmulator(wanted);
  // Mautic switches a webhook off that answers 404, so one without a function is not set up.
  if (await isFile(new URL("mautic-webhook/index.ts", functionsFolder))) {
    emulator.addWebhook({
      name: "Supabase",
      url: webhookUrl,
      triggers: ["mautic.lead_channel_subscription_changed"],
    });
  }
  const { url: baseUrl, clientId, clientSecret, campaignId } = emulator;
  return { connection: { baseUrl, clientId, clientSecret }, emulator, campaignId };
}

async function isFile(url: URL): Promise<boolean> {
  const info = await Deno.stat(url).catch(() => undefined);
  return info?.isFile ?? false;
}
