import type { Drift } from "../drift/drift.ts";
import type { Expected } from "../drift/expected.ts";

/** A container to start, and how long it may take to be healthy. */
export interface Start {
  readonly id: string;
  readonly service: string;
  readonly seconds: number;
}

export type Decision =
  | { readonly kind: "up to date" }
  | { readonly kind: "start"; readonly containers: readonly Start[] }
  | { readonly kind: "power on" }
  /** The engine has to run. */
  | { readonly kind: "engine" };

const ENGINE: Decision = { kind: "engine" };

/** What is enough to put a server right whose program, settings and state are those of the last successful run. */
export function decide(drifts: readonly Drift[], expected: Expected): Decision {
  if (drifts.length === 0) return { kind: "up to date" };
  if (drifts.every(({ repair }) => repair.kind === "power-on")) return { kind: "power on" };
  const stopped = drifts.flatMap(({ repair }) =>
    repair.kind === "command" && repair.starts === true && repair.service !== undefined ? [repair.service] : [],
  );
  if (stopped.length < drifts.length) return ENGINE;
  const containers = startsOf(expected).filter(({ service }) => stopped.includes(service));
  return containers.length === stopped.length ? { kind: "start", containers } : ENGINE;
}

/** Every container of the stack. */
export const startsOf = ({ containers }: Expected): Start[] =>
  containers.map(({ id, name, gateSeconds = 300 }) => ({ id, service: name, seconds: gateSeconds }));
