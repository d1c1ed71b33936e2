import type { LatencyModel } from "../../local/mautic/load.ts";

/** Slow enough for something to happen in the middle of a batch, far below the request timeout. */
export function slowBatches(): LatencyModel {
  return { cores: 2, cost: () => ({ request: 5, item: 5 }) };
}
