import assert from "node:assert/strict";
import { startStack } from "../../local/stack.ts";
import { peakMemoryMb } from "../bench/functions/process_usage.ts";
import { drained } from "../end_to_end/support.ts";

// What a lead keeps while it is on its way is some 4 kB: kept for good, 4,000 of them would be 17 MB
// and more. Without, 5 to 8 MB were seen: what V8 has not collected yet.
const allowedMb = 13;

Deno.test({
  name: "the memory of a drain does not grow with the number of leads",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using stack = await startStack({ functionEnv: { MAUTIC_MAX_WORKERS: "1" } });
    const drain = async (leads: number) => {
      await stack.sql`
        insert into public.leads (email, first_name, company, crm_status, ml_score, utm_source)
        select 'l' || i || '-' || gen_random_uuid() || '@example.test', 'First' || i, 'Company', 'new', 10, 'test'
        from generate_series(1, ${leads}) i`;
      await drained(stack);
      const pid = stack.functionPid("mautic-sync");
      assert.ok(pid !== undefined);
      return { pid, peakMb: peakMemoryMb(pid) };
    };
    const few = await drain(1_000);
    const many = await drain(4_000);
    assert.equal(many.pid, few.pid);
    const grownMb = many.peakMb - few.peakMb;
    assert.ok(grownMb < allowedMb, `from ${few.peakMb} MB to ${many.peakMb} MB`);
  },
});
