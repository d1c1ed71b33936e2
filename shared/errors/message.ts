/** The message of anything thrown, on one line and of bounded length. Total; never a stack trace. */
export function messageOf(error: unknown, maxLength = 300): string {
  let message: string;
  try {
    message = error instanceof Error ? error.message || error.name : String(error);
  } catch {
    message = "an error without a message";
  }
  return oneLine(message, maxLength);
}

/**
 * A text on one line, of bounded length, in signs that a terminal shows and Postgres stores: what
 * others say may hold escape sequences, NUL or half a character.
 */
export function oneLine(text: string, maxLength: number): string {
  // deno-lint-ignore no-control-regex -- these are what it is about
  const line = text.slice(0, 5 * maxLength).replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return (line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line).toWellFormed();
}
