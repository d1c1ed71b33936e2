/**
 * The command line of every task that is a program of ours: what it is called and does, from
 * deno.json; `--help`, to stdout; and what is wrong with an option, to stderr with the usage and
 * exit status 2. No message shows what an option was given: it may hold a password.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import type { z } from "zod";
import config from "../deno.json" with { type: "json" };
import { isPostgresUrl, postgresUrlForm } from "./connect.ts";

export type Task = keyof typeof config.tasks;

/** Exit status when the options cannot be followed. */
export const wrongOptions = 2;

/** A task's command line; its options are for the caller to add. */
export function program(task: Task): Command {
  return new Command(`deno task ${task}`)
    .description(`${config.tasks[task].description}.`)
    .helpOption("--help", "show this and do nothing")
    .showHelpAfterError()
    .configureOutput({ outputError: (message, write) => write(withoutValues(message)) })
    .exitOverride(({ exitCode }) => Deno.exit(exitCode === 0 ? 0 : wrongOptions));
}

/** Options that are spelled alike and mean the same in every task that takes them. */
export const common = {
  /** `remark`: what is particular to a task. */
  json: (remark?: string) => {
    const about = "print JSON to stdout instead of text";
    return new Option("--json", remark === undefined ? about : `${about}; ${remark}`);
  },
  envFile: () =>
    new Option(
      "--env-file <file>",
      "take variables from a file; may be given again; the environment goes before",
    ).argParser((file, before: string[] | undefined) => [...before ?? [], file]),
  /** `instead`: the variables that it goes before. */
  dbUrl: (instead: string) =>
    new Option("--db-url <url>", `the database; goes before ${instead}`).argParser((url) => {
      if (!isPostgresUrl(url)) throw new InvalidArgumentError(`expected ${postgresUrlForm}`);
      return url;
    }),
} as const;

/** Parses the value of an option that takes a number within bounds. */
export function numberBetween(low: number, high: number, { whole }: { whole: boolean }) {
  return (text: string): number => {
    const value = text.trim() === "" ? NaN : Number(text);
    if (value >= low && value <= high && (!whole || Number.isSafeInteger(value))) return value;
    const kind = whole ? "a whole number" : "a number";
    throw new InvalidArgumentError(`expected ${kind} from ${low} to ${high}`);
  };
}

/**
 * Reads arguments; ends the program after `--help` or a wrong option.
 *
 * @param shape of the options, by their names in camel case
 */
export function readOptions<T>(
  command: Command,
  args: readonly string[],
  shape: z.ZodType<T>,
): T {
  command.parse(args, { from: "user" });
  return shape.parse(command.opts());
}

/** Ends the program: the options, or the settings it reads in their place, cannot be followed. */
export function refuse(command: Command, message: string): never {
  return command.error(`error: ${message}`);
}

/** What commander (15.1) has to say, without the values it quotes. */
function withoutValues(message: string): string {
  return message
    .replace(/unknown option '(-[\w-]*)[^]*'/, "unknown option '$1'")
    .replace(/ argument '[^]*' is invalid\. /, ": ")
    .replace(/(too many arguments\..* but got \d+): [^]*/, "$1.\n");
}
