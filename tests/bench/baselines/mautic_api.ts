/** A small client of Mautic, as somebody writes it who needs two calls: the token is kept. */
import type { BenchLead } from "../load/leads.ts";

export interface MauticAccess {
  baseUrl: string;
  clientId: string;
  clientSecret: string;
}

export interface MauticApi {
  /** Mautic matches by address: creates or updates. */
  save(lead: BenchLead): Promise<void>;
  /** Looks for the contact, then edits or creates it. */
  searchThenSave(lead: BenchLead): Promise<void>;
  saveBatch(leads: BenchLead[]): Promise<void>;
}

/** From the variables that the local stack gives to functions. */
export function mauticAccess(env: Record<string, string | undefined>): MauticAccess {
  const { MAUTIC_BASE_URL: baseUrl, MAUTIC_CLIENT_ID: clientId } = env;
  const clientSecret = env["MAUTIC_CLIENT_SECRET"];
  if (!baseUrl || !clientId || !clientSecret) throw new Error("The MAUTIC_* variables are missing");
  return { baseUrl, clientId, clientSecret };
}

export function createMauticApi({ baseUrl, clientId, clientSecret }: MauticAccess): MauticApi {
  let token: Promise<string> | undefined;

  async function fetchToken(): Promise<string> {
    const response = await fetch(`${baseUrl}/oauth/v2/token`, {
      method: "POST",
      body: new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId,
        client_secret: clientSecret,
      }),
    });
    const { access_token } = await response.json();
    return access_token;
  }

  async function call(method: string, path: string, body?: unknown) {
    token ??= fetchToken();
    const response = await fetch(`${baseUrl}/api/${path}`, {
      method,
      headers: {
        Authorization: `Bearer ${await token}`,
        ...(body === undefined ? {} : { "Content-Type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`Mautic answered ${response.status} to ${method} ${path}`);
    return await response.json();
  }

  return {
    async save(lead) {
      await call("POST", "contacts/new", contactOf(lead));
    },
    async searchThenSave(lead) {
      const found = await call("GET", `contacts?search=email:${encodeURIComponent(lead.email)}`);
      const [id] = Object.keys(found.contacts);
      if (id === undefined) await call("POST", "contacts/new", contactOf(lead));
      else await call("PATCH", `contacts/${id}/edit`, contactOf(lead));
    },
    async saveBatch(leads) {
      const { statusCodes } = await call("POST", "contacts/batch/new", leads.map(contactOf));
      const failed = Object.values(statusCodes).filter((code) => code !== 200 && code !== 201);
      if (failed.length > 0) throw new Error(`Mautic refused ${failed.length} items`);
    },
  };
}

function contactOf(lead: BenchLead): Record<string, string> {
  return {
    email: lead.email,
    firstname: lead.first_name,
    lastname: lead.last_name,
    phone: lead.phone,
    company: lead.company,
    hki_status: lead.crm_status,
    hki_utm_source: lead.utm_source,
  };
}
