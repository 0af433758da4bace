import type { Drift } from "./drift.ts";
import { actionOf } from "./repair-plan.ts";

/** Resource, expected, actual: one line a difference. */
export function driftTable(drifts: readonly Drift[]): string {
  const rows = [
    ["RESOURCE", "EXPECTED", "ACTUAL"],
    ...drifts.map(({ resource, expected, actual }) => [resource, expected, actual]),
  ];
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

export interface DriftReport {
  readonly stack: string;
  readonly drift: readonly {
    readonly resource: string;
    readonly expected: string;
    readonly actual: string;
    /** What `up` does about it. */
    readonly repair: string;
  }[];
}

/** What `vpai drift --json` prints. */
export const driftReport = (stack: string, drifts: readonly Drift[]): DriftReport => ({
  stack,
  drift: drifts.map(({ resource, expected, actual, repair }) => ({
    resource,
    expected,
    actual,
    repair: actionOf(repair),
  })),
});

const count = (drifts: readonly Drift[]): string =>
  drifts.length === 1 ? "1 difference" : `${drifts.length} differences`;

/** What `vpai drift` prints. */
export function renderDrift(stack: string, drifts: readonly Drift[]): string {
  if (drifts.length === 0) return `no drift: the server of stack ${stack} is as the last run left it\n`;
  const byHand = drifts.flatMap(({ resource, repair }) =>
    repair.kind === "lost" || repair.kind === "manual" ? [`${resource}\n  do: ${repair.fix}`] : [],
  );
  const rest = drifts.length - byHand.length;
  const repaired = rest === 0 ? [] : [`\`vpai up --stack ${stack}\` repairs ${rest} of them`];
  return [driftTable(drifts), "", count(drifts), ...repaired, ...byHand, ""].join("\n");
}

/** What a run reports once the server was inspected again and has none of them. */
export const renderRepaired = (drifts: readonly Drift[]): string[] => [
  `${count(drifts)} repaired:`,
  ...drifts.map(({ resource, actual, repair }) => `  ${resource} (${actual}): ${actionOf(repair)}`),
];
