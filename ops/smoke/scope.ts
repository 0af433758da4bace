import type { Summary } from "../engine/progress.ts";

/** Whether a run changed anything; without a summary it may have. */
export const changedSomething = (summary: Summary | undefined): boolean =>
  summary === undefined || Object.entries(summary.changes).some(([op, count]) => op !== "same" && count > 0);

/** Flags of the engine for a run of some resources: the rest of the stack may not be there. */
const PARTIAL = /^(?:--target|--target-dependents|--exclude|-t)(?:=|$)/;

/** What is checked at the end of a run; `flags` are the engine's, as the operator gave them. */
export function smokeScope(summary: Summary | undefined, flags: readonly string[]): "services" | "nothing" | "unknown" {
  if (!changedSomething(summary)) return "nothing";
  return flags.some((flag) => PARTIAL.test(flag)) ? "unknown" : "services";
}
