import { type Fault, OperatorError } from "../shared/errors.ts";
import { type Plan, planDeployment } from "./plan.ts";
import { checkSettings, type Settings, type Sources } from "./settings/parse.ts";

/** A deployment as its settings describe it, and everything that is wrong with them. */
export interface Checked {
  readonly settings: Settings;
  /** Undefined when there are faults. */
  readonly plan?: Plan;
  readonly faults: readonly Fault[];
  /** For the operator; no reason to stop. */
  readonly notices: readonly string[];
}

/** Checks settings and plan together: `vpai up` and `preview` before anything starts, and the program under any engine. */
export function checkDeployment(sources: Sources): Checked {
  const { settings, faults, notices } = checkSettings(sources);
  const planned = tryPlan(settings);
  const all = [...faults, ...("faults" in planned ? planned.faults : [])];
  if (all.length > 0 || "faults" in planned) return { settings, faults: all, notices };
  return { settings, plan: planned, faults: [], notices: [...notices, ...planned.warnings] };
}

/** @throws OperatorError with every fault */
export function requireDeployment(sources: Sources): Required<Checked> {
  const checked = checkDeployment(sources);
  if (checked.plan === undefined) throw new OperatorError(checked.faults);
  return { ...checked, plan: checked.plan };
}

function tryPlan(settings: Settings): Plan | { readonly faults: readonly Fault[] } {
  try {
    return planDeployment(settings);
  } catch (error) {
    if (error instanceof OperatorError) return { faults: error.faults };
    throw error;
  }
}
