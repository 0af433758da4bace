import type { Fault } from "../../../shared/errors.ts";
import type { Route } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import { missingCapabilities } from "./order.ts";

/** A port on which sshd listens, and the setting that it comes from. */
export interface SshdPort {
  readonly setting: string;
  readonly port: number;
}

/** A port of other software on the server, and the setting that it comes from. */
export interface OtherPort {
  readonly setting: string;
  readonly port: number;
  readonly protocol: "tcp" | "udp";
}

/** All ports that the machine will hold: sshd's, those that services publish, and others'. Each may be held once. */
export function checkPorts(
  definitions: readonly ServiceDefinition[],
  sshd: readonly SshdPort[],
  others: readonly OtherPort[] = [],
): Fault[] {
  const published = definitions.flatMap(({ name, publish }) => (publish ?? []).map((each) => ({ name, ...each })));
  const taken = [...new Set(published.map(({ port }) => port))].sort((a, b) => a - b).join(", ");
  const ofSshd = sshd.flatMap(({ setting, port }): Fault[] => {
    const other = published.find((each) => each.port === port && each.protocol === "tcp");
    if (other === undefined) return [];
    return [
      {
        key: setting,
        found: `${port}, which ${other.name} publishes`,
        allowed: `a port that no service publishes (they publish ${taken})`,
        fix: `have sshd listen on another port, and \`pulumi config set --path '${setting}' <port>\``,
      },
    ];
  });
  const ofServices = published.flatMap(({ name, port, protocol }, i): Fault[] => {
    const first = published.findIndex((each) => each.port === port && each.protocol === protocol);
    const owner = published[first]?.name ?? name;
    if (first === i) return [];
    return [
      { key: `service ${name}`, found: `port ${port}/${protocol}, which ${owner} has`, fix: "publish another port" },
    ];
  });
  const held = [
    ...sshd.map(({ port }) => ({ name: "sshd", port, protocol: "tcp" })),
    ...published,
    ...others.map(({ setting: name, ...each }) => ({ name, ...each })),
  ];
  const ofOthers = others.flatMap(({ setting, port, protocol }): Fault[] => {
    const first = held.find((each) => each.port === port && each.protocol === protocol);
    if (first === undefined || first.name === setting) return [];
    return [
      {
        key: setting,
        found: `${port}/${protocol}, which ${first.name} has`,
        allowed: "ports of software that this stack does not run",
        fix: "take it out of the list",
      },
    ];
  });
  return [...ofSshd, ...ofServices, ...ofOthers];
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
