/** Which process started which, and the end of all of them. */
import { signal } from "./daemon.ts";

/**
 * Ends a process and all that it started, and what they started, with SIGKILL. A daemon is none of
 * them any more: a reaper looks after it.
 */
export function endTree(pid: number): void {
  // Listed before any of them ends: who loses its parent is given another.
  const tree = [pid, ...descendantsOf(pid)];
  for (const each of tree) signal(each, "SIGKILL");
}

function descendantsOf(pid: number): number[] {
  const children = parents().filter(([, parent]) => parent === pid).map(([child]) => child);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}

/** Every process with its parent. */
function parents(): [number, number | undefined][] {
  if (Deno.build.os !== "linux") {
    const lines = ps("-A", "-o", "pid=,ppid=").trim().split("\n");
    return lines.map((line) => {
      const [child = 0, parent] = line.trim().split(/\s+/).map(Number);
      return [child, parent];
    });
  }
  const pids = Array.from(Deno.readDirSync("/proc"), ({ name }) => Number(name));
  return pids.filter(Number.isInteger).map((pid) => [pid, parentOf(pid)]);
}

/** The process that started this one; undefined where the system does not tell. */
export function parentOf(pid: number): number | undefined {
  try {
    if (Deno.build.os === "linux") {
      // "pid (name) state ppid …"; the name may hold anything, brackets too.
      const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    }
    const parent = Number(ps("-o", "ppid=", "-p", String(pid)));
    return parent > 0 ? parent : undefined;
  } catch {
    return undefined;
  }
}

/** What a process was started as, arguments included; undefined where the system does not tell. */
export function commandOf(pid: number): string | undefined {
  try {
    return Deno.build.os === "linux"
      ? Deno.readTextFileSync(`/proc/${pid}/cmdline`).replaceAll("\0", " ")
      : ps("-o", "args=", "-p", String(pid));
  } catch {
    return undefined;
  }
}

function ps(...args: string[]): string {
  return new TextDecoder().decode(new Deno.Command("ps", { args }).outputSync().stdout);
}
