/** What an operator needs to put a fault right. */
export interface Fault {
  /** The setting, file, port or machine at fault, as the operator would name it. */
  readonly key: string;
  /** What was found there; never a secret. */
  readonly found?: string;
  /** What is allowed instead. */
  readonly allowed?: string;
  /** What to do, as a sentence or a command. */
  readonly fix: string;
}

/** Renders faults as the text an operator reads: one block a fault. */
export function renderFaults(faults: readonly Fault[]): string {
  return faults
    .map((fault) => {
      const head = fault.found === undefined ? fault.key : `${fault.key}: ${fault.found}`;
      const allowed = fault.allowed === undefined ? [] : [`  allowed: ${fault.allowed}`];
      return [head, ...allowed, `  do: ${fault.fix}`].join("\n");
    })
    .join("\n");
}

/** An error for the operator: printed without a stack trace. Any other error is a bug and keeps its trace. */
export class OperatorError extends Error {
  readonly faults: readonly Fault[];

  constructor(faults: Fault | readonly Fault[]) {
    const list: readonly Fault[] = Array.isArray(faults) ? (faults as readonly Fault[]) : [faults as Fault];
    super(renderFaults(list));
    this.name = "OperatorError";
    this.faults = list;
  }
}
