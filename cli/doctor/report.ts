/** The doctor's answer, for people and for programs. */
import type { Finding, Verdict } from "./finding.ts";

export interface Report {
  ok: boolean;
  counts: Record<Verdict, number>;
  findings: Finding[];
}

/** `ok` means that nothing fails; `secrets` are texts to blot out wherever they got in. */
export function makeReport(findings: Finding[], secrets: string[]): Report {
  const count = (verdict: Verdict) => findings.filter((each) => each.verdict === verdict).length;
  const blot = (text: string) =>
    secrets.reduce((rest, secret) => rest.replaceAll(secret, "[redacted]"), text);
  return {
    ok: count("fail") === 0,
    counts: { pass: count("pass"), warn: count("warn"), fail: count("fail") },
    findings: findings.map(({ message, remedy, ...rest }) => ({
      ...rest,
      message: blot(message),
      remedy: remedy && blot(remedy),
    })),
  };
}

/** Lines for a terminal, one for each finding and one for its remedy. */
export function reportLines({ findings, counts }: Report): string[] {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return [
    ...findings.flatMap(({ check, verdict, message, remedy }) => [
      `${verdict}  ${check.padEnd(width)}  ${message}`,
      ...(remedy === null ? [] : [`      ${" ".repeat(width)}  → ${remedy}`]),
    ]),
    `${counts.pass} pass, ${counts.warn} warn, ${counts.fail} fail`,
  ];
}
