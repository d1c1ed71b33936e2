/** The recorded exchanges with a real Mautic 5.1.1, as they lie in the fixtures. */
import { z } from "zod";
import type { Json } from "../../local/mautic/types.ts";

const json: z.ZodType<Json> = z.json();
const header = z.tuple([z.string(), z.string()]);

const delivery = z.object({
  path: z.string(),
  headers: z.array(header),
  body_raw: z.string(),
  answered: z.number().nullable(),
  signature_checks: z.record(z.string(), z.boolean()).optional(),
});

const recording = z.object({
  case: z.string(),
  request: z.object({
    method: z.string(),
    path: z.string(),
    headers: z.record(z.string(), z.string()).default({}),
    body: json.optional(),
    body_raw: z.string().nullish(),
  }).optional(),
  response: z.object({
    status: z.number(),
    headers: z.array(header).default([]),
    body: json.optional(),
  }).optional(),
  webhook_deliveries: z.array(delivery).default([]),
  results: z.array(z.tuple([z.number(), z.number()])).optional(),
});

export type Recording = z.infer<typeof recording>;
export type RecordedDelivery = z.infer<typeof delivery>;

const FOLDER = new URL("../fixtures/mautic/", import.meta.url);

export async function readRecording(name: string): Promise<Recording> {
  return recording.parse(JSON.parse(await Deno.readTextFile(new URL(`${name}.json`, FOLDER))));
}

export async function recordedNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(FOLDER)) {
    if (entry.name.endsWith(".json")) names.push(entry.name.replace(/\.json$/, ""));
  }
  return names.sort();
}
