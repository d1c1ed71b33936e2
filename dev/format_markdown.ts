import { execFileSync } from "node:child_process";

/** Markdown as `deno fmt` leaves it in this project. */
export function formatMarkdown(text: string): string {
  return execFileSync(Deno.execPath(), ["fmt", "--ext", "md", "-"], {
    input: text,
    encoding: "utf8",
  });
}
