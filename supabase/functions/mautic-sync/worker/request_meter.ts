/** A `fetch` that counts, and how often it was called so far. */
export interface RequestMeter {
  fetch: typeof fetch;
  count(): number;
}

/** Counts requests: what this function's CPU time goes into (see MAUTIC_WORKER_BUDGET_REQUESTS). */
export function meterRequests(inner: typeof fetch): RequestMeter {
  let requests = 0;
  return {
    fetch: (...request) => {
      requests += 1;
      return inner(...request);
    },
    count: () => requests,
  };
}
