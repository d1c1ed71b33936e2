import { z } from "zod";

export type Env = Record<string, string | undefined>;

/** What is wrong with a setting: `message` says what the variable holds and what it should hold. */
export interface SettingProblem {
  variable: string;
  message: string;
}

interface Range {
  min: number;
  max: number;
}

export type Reader = ReturnType<typeof reader>;

/**
 * Reads typed values from environment variables and gathers every problem instead of stopping at
 * the first. A variable that holds only spaces counts as not set.
 */
export function reader(env: Env) {
  const problems: SettingProblem[] = [];

  function raw(variable: string): string | undefined {
    const value: unknown = env[variable];
    return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
  }
  function problem(variable: string, message: string): void {
    problems.push({ variable, message });
  }
  function show(value: string): string {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  }
  function number(variable: string, fallback: number, { min, max }: Range): number {
    const value = raw(variable);
    if (value === undefined) return fallback;
    const parsed = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(value) ? Number(value) : NaN;
    if (parsed >= min && parsed <= max) return parsed;
    problem(variable, `holds ${show(value)}; expected a number from ${min} to ${max}`);
    return fallback;
  }

  return {
    problems,
    raw,
    problem,
    show,
    number,
    integer(variable: string, fallback: number, { min, max }: Range): number {
      const value = raw(variable);
      if (value === undefined) return fallback;
      const parsed = /^[+-]?\d+$/.test(value) ? Number(value) : NaN;
      if (parsed >= min && parsed <= max) return parsed;
      problem(variable, `holds ${show(value)}; expected a whole number from ${min} to ${max}`);
      return fallback;
    },
    /** A required text, e.g. a credential; its absence is the caller's to report. */
    text(variable: string): string {
      const value = raw(variable) ?? "";
      // Header and form values cannot carry these; a pasted line break is the usual cause.
      // deno-lint-ignore no-control-regex
      if (/[\u0000-\u001f\u007f]/.test(value)) {
        problem(variable, "holds a line break or control character; expected one line of text");
      }
      return value;
    },
    flag(variable: string, fallback: boolean): boolean {
      const value = raw(variable)?.toLowerCase();
      if (value === undefined) return fallback;
      if (["true", "1", "yes", "on"].includes(value)) return true;
      if (["false", "0", "no", "off"].includes(value)) return false;
      problem(variable, `holds ${show(value)}; expected true or false`);
      return fallback;
    },
    /** An optional id: a positive whole number. */
    id(variable: string): number | null {
      const value = raw(variable);
      if (value === undefined) return null;
      if (/^[1-9]\d{0,14}$/.test(value)) return Number(value);
      problem(variable, `holds ${show(value)}; expected an id: a positive whole number`);
      return null;
    },
    /** A comma-separated list without blanks and repetitions. */
    list(variable: string, fallback: string[]): string[] {
      const value = raw(variable);
      if (value === undefined) return fallback;
      const items = [...new Set(value.split(",").map((item) => item.trim()).filter(Boolean))];
      if (items.length > 0) return items;
      problem(variable, `holds ${show(value)}; expected names separated by commas`);
      return fallback;
    },
    /** An http(s) address, normalised: no trailing slash, a sub-folder allowed. */
    url(variable: string): string {
      const value = raw(variable);
      if (value === undefined) return "";
      const url = URL.canParse(value) ? new URL(value) : undefined;
      const example = "expected an address such as https://mautic.example.com";
      if (!url || !["http:", "https:"].includes(url.protocol)) {
        // Not shown: a secret pasted into the wrong variable would land in answers.
        problem(variable, `holds no http(s) address; ${example}`);
        return "";
      }
      const path = url.pathname.replace(/\/+$/, "");
      if (url.username || url.password) {
        problem(variable, `holds a user name or password; ${example}`);
      } else if (url.search || url.hash || value.endsWith("?") || value.endsWith("#")) {
        problem(variable, `holds a query or fragment; ${example}`);
      } else if (/\/(api|oauth)(\/v2)?$/.test(path)) {
        problem(variable, `holds the address of the API (${path}); ${example}, without ${path}`);
      }
      return url.origin + path;
    },
    /** A JSON object of secrets by name; absent: none. */
    keys(variable: string): Record<string, string> {
      const value = raw(variable);
      if (value === undefined) return {};
      try {
        return z.record(z.string(), z.string().min(1)).parse(JSON.parse(value));
      } catch {
        problem(variable, 'holds no JSON object of keys; expected {"default":"sb_secret_…"}');
        return {};
      }
    },
  };
}
