/** What a process has used so far, as Linux counts it. */

/** A clock tick of /proc is a hundredth of a second on every Linux that Deno runs on. */
const ticksPerSecond = 100;

/** Seconds of CPU, all threads together (the compiler's and the collector's included). */
export function cpuSeconds(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  // The name, in brackets, may hold spaces; user and system time are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

/** The most memory it had resident at any time, in MB. */
export function peakMemoryMb(pid: number): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024;
}
