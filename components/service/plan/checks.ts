import type { Fault } from "../../../shared/errors.ts";
import type { Route } from "../model/context.ts";
import type { ServiceDefinition } from "../model/definition.ts";
import { missingCapabilities } from "./order.ts";

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
