import type { Fault } from "../../../shared/errors.ts";
import type { Route } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import type { Size } from "../model/facets.ts";
import { missingCapabilities } from "./order.ts";

/** The part of a machine's memory that containers may have: system, sshd, dockerd and page cache live in the rest. */
export const CONTAINER_SHARE = 0.9;

/** How the limits of memory add up; a sum beyond the share is a fault, because the kernel would choose who dies (P42). */
export function planMemory(
  definitions: readonly ServiceDefinition[],
  size: Size,
  machine: { readonly name: string; readonly memoryMb: number },
): { readonly neededMb: number; readonly faults: Fault[] } {
  const limits = definitions.map(({ name, memoryMb }) => ({ name, limit: memoryMb[size] }));
  const neededMb = limits.reduce((sum, { limit }) => sum + limit, 0);
  const allowedMb = Math.floor(machine.memoryMb * CONTAINER_SHARE);
  if (neededMb <= allowedMb) return { neededMb, faults: [] };
  const largest = limits.toSorted((a, b) => b.limit - a.limit).slice(0, 3);
  return {
    neededMb,
    faults: [
      {
        key: "vpai:vps",
        found: `${machine.name} has ${machine.memoryMb} MB, of which containers may have ${allowedMb}`,
        allowed: `${neededMb} MB for ${limits.length} services; the largest: ${largest.map(({ name, limit }) => `${name} ${limit}`).join(", ")}`,
        fix: [
          "choose a larger server",
          ...(size === "standard" ? ["`pulumi config set vpai:size small`"] : []),
          "or leave services out (vpai:without)",
        ].join(", "),
      },
    ],
  };
}

/** Ports that two want on the host, sshd's included. */
export function checkPorts(definitions: readonly ServiceDefinition[], sshPort: number): Fault[] {
  const owners = new Map([[`${sshPort}/tcp`, "sshd"]]);
  const faults: Fault[] = [];
  for (const { name, publish } of definitions) {
    for (const { port, protocol } of publish ?? []) {
      const owner = owners.get(`${port}/${protocol}`);
      if (owner === "sshd")
        faults.push({
          key: "vpai:ssh.port",
          found: String(port),
          allowed: `a port that ${name} does not publish`,
          fix: "`pulumi config set --path vpai:ssh.port 2222`",
        });
      else if (owner)
        faults.push({
          key: `service ${name}`,
          found: `port ${port}/${protocol}, which ${owner} has`,
          fix: "publish another port",
        });
      owners.set(`${port}/${protocol}`, owner ?? name);
    }
  }
  return faults;
}

/** Duplicate names and routes, missing dependencies, and facets that do not fit together. */
export function checkNames(definitions: readonly ServiceDefinition[], routes: readonly Route[]): Fault[] {
  const names = definitions.map(({ name }) => name);
  const faults = definitions.flatMap((definition, i): Fault[] => {
    const { name, user, route, port, secrets, needs } = definition;
    const fault = (found: string, fix: string): Fault => ({ key: `service ${name}`, found, fix });
    return [
      ...(names.indexOf(name) !== i ? [fault("duplicate name", "give each service its own name")] : []),
      ...(needs ?? [])
        .filter((need) => !names.includes(need))
        .map((need) =>
          fault(`depends on unknown service ${need}`, "add it to the catalogue, or disable this service too"),
        ),
      ...missingCapabilities(definition, definitions).map((capability) =>
        fault(
          `requires ${capability}, which no service provides`,
          "add a service that provides it, or disable this service too",
        ),
      ),
      ...Object.keys(secrets ?? {})
        .filter((secret) => !secret.startsWith(`${name}-`))
        .map((secret) => fault(`its secret ${secret}`, `start the name with ${name}-`)),
      ...(definition.files && !definition.configDir
        ? [fault("files but no configDir", "set where the container sees them")]
        : []),
      ...(user.uid === 0 && !user.rootReason
        ? [fault("runs as root", "give it a user of its own, or set user.rootReason")]
        : []),
      ...(route && (port === undefined || !sharesNetworkWithEdge(definition))
        ? [fault("a route but no port on backend or frontend", "give it both")]
        : []),
    ];
  });
  const hosts = routes.map(({ host }) => host);
  const duplicates = routes.filter(({ host }, i) => hosts.indexOf(host) !== i);
  return [
    ...faults,
    ...duplicates.map(({ host, service }) => ({
      key: `service ${service}`,
      found: `duplicate host name ${host}`,
      fix: "choose another subdomain",
    })),
  ];
}

const sharesNetworkWithEdge = ({ networks }: ServiceDefinition): boolean =>
  networks.includes("backend") || networks.includes("frontend");

/** Directories of the host that two services would share. */
export function checkVolumes(definitions: readonly ServiceDefinition[]): Fault[] {
  const owners = new Map<string, string>();
  return definitions.flatMap(({ name, data }) =>
    (data ?? []).flatMap(({ path, target }) => {
      const places = [`target ${name}:${target}`, `data ${name}/${path}`];
      const taken = places.find((place) => owners.has(place));
      for (const place of places) owners.set(place, name);
      return taken
        ? [{ key: `service ${name}`, found: `two mounts of ${taken.replace(/^\w+ /, "")}`, fix: "mount each once" }]
        : [];
    }),
  );
}
