/** What our programs print; everything but results goes to stderr. */
const encoder = new TextEncoder();

/** Writes a line to stdout, for the program that called. */
export function printResult(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Writes a line to stderr, for the person who watches. */
export function printNote(line: string): void {
  Deno.stderr.writeSync(encoder.encode(`${line}\n`));
}
