import { z } from "zod";

/** What is wrong with an input, and where: `path` is dotted, `(body)` for the whole. */
export interface Issue {
  path: string;
  message: string;
}

/** The issues of a zod error as answers and dead letters name them. */
export function issuesOf(error: z.ZodError): Issue[] {
  return error.issues.map((issue) => ({
    path: issue.path.map(String).join(".") || "(body)",
    message: issue.message,
  }));
}
