import type { SyncSettings } from "shared/settings/sync.ts";
import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { answerMauticErrors } from "./refusals.ts";

/**
 * Is Mautic there, with our credentials? The answer names its version, and the settings by which this
 * deployment works: whoever asks may have others.
 */
export async function ping(context: ActionContext): Promise<Response> {
  const { answers, tokens, settings, superseded, database: { project } } = context;
  return await answerMauticErrors(context, async () => {
    const { version } = await connectMautic(context).mautic.version(answers.correlationId);
    const tokenCached = tokens.lastFrom() !== "mautic";
    return answers.ok({
      demo: false,
      mautic: { version },
      tokenCached,
      settings: { project, ...openSettings(settings) },
      supersededSettings: superseded,
    });
  });
}

/** The settings that are no secrets; named one by one, so that a new one is none by mistake. */
function openSettings(settings: SyncSettings) {
  const { baseUrl, enrollment, fieldMaxLength, nativeUtmTags, batchSize, maxWorkers } = settings;
  const { requestTimeoutMs, serverTimeLimitMs, workerLeaseMs, lingerMs, retry } = settings;
  const { workerBudgetMs, workerBudgetLeads, workerBudgetRequests } = settings;
  return {
    baseUrl,
    enrollment,
    fieldMaxLength,
    nativeUtmTags,
    batchSize,
    maxWorkers,
    requestTimeoutMs,
    serverTimeLimitMs,
    workerLeaseMs,
    lingerMs,
    workerBudgetMs,
    workerBudgetLeads,
    workerBudgetRequests,
    retryDelayMs: retry.delayMs,
  };
}
