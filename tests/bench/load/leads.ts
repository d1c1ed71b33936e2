/** The leads of a run: the same fields for every contender. */

export type BenchLead = {
  email: string;
  first_name: string;
  last_name: string;
  phone: string;
  company: string;
  crm_status: string;
  utm_source: string;
};

/** `tag` sets the leads of one run apart from those of the next. */
export function leads(tag: string, count: number): BenchLead[] {
  return Array.from({ length: count }, (_, index) => ({
    email: `${tag}-${index}@example.test`,
    first_name: `First ${index}`,
    last_name: `Last ${index}`,
    phone: `+1 555 ${String(index).padStart(6, "0")}`,
    company: `Company ${index % 100}`,
    crm_status: "new",
    utm_source: "bench",
  }));
}
