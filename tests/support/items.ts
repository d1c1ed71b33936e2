import assert from "node:assert/strict";
import type { LeasedItem } from "shared/database/queue.ts";
import { leadPayload } from "./payload.ts";
import { readSyncSettings, type SyncSettings } from "shared/settings/sync.ts";

/** The settings of a sync with a Mautic, and with whatever else is given. */
export function syncSettings(env: Record<string, string> = {}): SyncSettings {
  const reading = readSyncSettings({
    MAUTIC_BASE_URL: "https://mautic.example.test",
    MAUTIC_CLIENT_ID: "id",
    MAUTIC_CLIENT_SECRET: "secret",
    ...env,
  });
  assert.ok(reading.mode === "live");
  return reading.settings;
}

/** A lead that has never been sent, as it is leased. */
export function leasedItem(name: string, more: Partial<LeasedItem> = {}): LeasedItem {
  const address = `${name}@example.test`;
  return {
    lead_id: name,
    attempt: 1,
    failed_alone: 0,
    operation: "create",
    removal: null,
    superseded: false,
    force: false,
    fill: false,
    withdraws: false,
    ambiguous: false,
    payload: leadPayload(name),
    address,
    attempted: [],
    email_status: null,
    contact_id: null,
    snapshot: {},
    refused: {},
    filled: [],
    do_not_contact: [],
    enrolled_campaigns: [],
    correlation_id: "test",
    changed_at: "2026-01-01T00:00:00Z",
    ...more,
  };
}
