import type { Fault } from "../../../shared/errors.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import type { BySize, Size } from "../model/facets.ts";

/** The part of a machine's memory that containers may have: system, sshd, dockerd and page cache live in the rest. */
export const CONTAINER_SHARE = 0.9;

/**
 * How far the sum of limits may exceed that part before the operator is warned. Services are not all at their limit at
 * the same time, and what they usually take is in the requests; docs/memory.md has the reasoning.
 */
export const OVERCOMMIT = 1.25;

const at = (value: BySize<number>, size: Size): number => (typeof value === "number" ? value : value[size]);

/** Request and limit of one service, in MB. */
export function memoryMb(
  { memory }: Pick<ServiceDefinition, "memory">,
  size: Size,
): { readonly request: number; readonly limit: number } {
  return { request: at(memory.requestMb, size), limit: at(memory.limitMb, size) };
}

export interface MemoryPlan {
  readonly requestMb: number;
  readonly limitMb: number;
  readonly faults: readonly Fault[];
  /** What an operator should know and may accept. */
  readonly warnings: readonly Fault[];
}

/**
 * Whether the services fit a machine. Requests that exceed its memory are a fault: the kernel would choose which
 * process dies (P42). Limits may exceed it up to {@link OVERCOMMIT}. Swap never counts: containers may not use it.
 */
export function planMemory(
  definitions: readonly ServiceDefinition[],
  size: Size,
  machine: { readonly name: string; readonly memoryMb: number },
): MemoryPlan {
  const services = definitions.map((definition) => ({ name: definition.name, ...memoryMb(definition, size) }));
  const sum = (kind: "request" | "limit"): number => services.reduce((total, each) => total + each[kind], 0);
  const [requestMb, limitMb] = [sum("request"), sum("limit")];
  const shareMb = Math.floor(machine.memoryMb * CONTAINER_SHARE);
  const most = Math.floor(shareMb * OVERCOMMIT);
  const largest = (kind: "request" | "limit"): string =>
    services
      .toSorted((a, b) => b[kind] - a[kind])
      .slice(0, 3)
      .map((each) => `${each.name} ${each[kind]}`)
      .join(", ");
  const has = `${machine.name} has ${machine.memoryMb} MB, of which containers may have ${shareMb}`;
  const fix = [
    "choose a larger server",
    ...(size === "standard" ? ["`pulumi config set vpai:size small`"] : []),
    "or leave services out (vpai:disabledServices)",
  ].join(", ");
  const faults: Fault[] = services
    .filter(({ request, limit }) => request > limit)
    .map(({ name, request, limit }) => ({
      key: `service ${name}`,
      found: `requests ${request} MB of memory, and its limit is ${limit} MB`,
      allowed: "a request up to the limit",
      fix: "measure what it takes, and correct memory.requestMb or memory.limitMb",
    }));
  if (requestMb > shareMb)
    faults.push({
      key: "vpai:vps",
      found: `${services.length} services request ${requestMb} MB (the largest: ${largest("request")}); ${has}`,
      allowed: `requests of ${shareMb} MB`,
      fix,
    });
  const warnings =
    requestMb <= shareMb && limitMb > most
      ? [
          {
            key: "vpai:vps",
            found: `memory limits of ${limitMb} MB (the largest: ${largest("limit")}); ${has}`,
            allowed: `limits of ${most} MB (${OVERCOMMIT} times as much); beyond, the kernel may end services under load`,
            fix,
          },
        ]
      : [];
  return { requestMb, limitMb, faults, warnings };
}
