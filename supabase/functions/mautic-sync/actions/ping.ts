import type { ActionContext } from "../connect.ts";
import { connectMautic } from "../connect_mautic.ts";
import { answerMauticErrors } from "./refusals.ts";

/** Is Mautic there, with our credentials? The answer names its version. */
export async function ping(context: ActionContext): Promise<Response> {
  const { answers, tokens } = context;
  return await answerMauticErrors(context, async () => {
    const { version } = await connectMautic(context).mautic.version(answers.correlationId);
    const tokenCached = tokens.lastFrom() !== "mautic";
    return answers.ok({ demo: false, mautic: { version }, tokenCached });
  });
}
