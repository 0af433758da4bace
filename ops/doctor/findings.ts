import { type Fault, renderFaults } from "../../shared/errors.ts";
import type { Drift } from "../drift/drift.ts";

/** One thing looked at: what was found, and the fault if it is one. */
export interface Finding {
  readonly name: string;
  readonly found: string;
  readonly fault?: Fault;
}

/** Findings as a table; each fault in full below it. */
export function renderFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length));
  const rows = findings.map(({ name, found, fault }) => `${fault ? "✗" : "✓"} ${name.padEnd(width)}  ${found}`);
  const faults = findings.flatMap(({ fault }) => fault ?? []);
  const end = faults.length === 0 ? "no problems found" : renderFaults(faults);
  return `${rows.join("\n")}\n\n${end}\n`;
}

/** One finding for each difference from what the last run left. */
export function serverFindings(stack: string, drifts: readonly Drift[]): Finding[] {
  if (drifts.length === 0) return [{ name: `server of ${stack}`, found: "as the last run left it" }];
  return drifts.map(({ resource, expected, actual, repair }) => {
    const byHand = repair.kind === "lost" || repair.kind === "manual";
    const fix = byHand ? repair.fix : `run \`vpai up --stack ${stack}\``;
    return { name: resource, found: actual, fault: { key: resource, found: actual, allowed: expected, fix } };
  });
}
