import type { Fault } from "../../../shared/errors.ts";
import type { Route } from "./routes.ts";
import type { ServiceDefinition } from "../model/definition.ts";

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

/** Names that are used twice or that nothing answers to, and routes nobody could serve. */
export function checkNames(definitions: readonly ServiceDefinition[], routes: readonly Route[]): Fault[] {
  const names = definitions.map(({ name }) => name);
  const faults = definitions.flatMap((definition, i): Fault[] => {
    const { name } = definition;
    const say = (found: string, fix: string): Fault => ({ key: `service ${name}`, found, fix });
    return [
      ...(names.indexOf(name) !== i ? [say("its name is taken", "give each service a name of its own")] : []),
      ...needsOf(definition)
        .filter((need) => !names.includes(need))
        .map((need) =>
          say(`it needs ${need}, which is not there`, "add it to the catalogue, or leave this one out too"),
        ),
      ...Object.keys(definition.secrets ?? {})
        .filter((secret) => !secret.startsWith(`${name}-`))
        .map((secret) => say(`its secret ${secret}`, `begin the name with ${name}-`)),
      ...(definition.files && !definition.configDir
        ? [say("files but no configDir", "say where the container sees them")]
        : []),
      ...(definition.user.uid === 0 && !definition.user.rootBecause
        ? [say("it runs as root", "give it a user of its own, or say why in user.rootBecause")]
        : []),
      ...(definition.route && (definition.port === undefined || !meetsEdge(definition))
        ? [say("a route but no port on backend or frontend", "give it both")]
        : []),
    ];
  });
  const hosts = routes.map(({ host }) => host);
  const duplicates = routes.filter(({ host }, i) => hosts.indexOf(host) !== i);
  return [
    ...faults,
    ...duplicates.map(({ host, service }) => ({
      key: `service ${service}`,
      found: `host name ${host} is taken`,
      fix: "choose another label",
    })),
  ];
}

/** Networks on which the edge is too. */
const meetsEdge = ({ networks }: ServiceDefinition): boolean =>
  networks.includes("backend") || networks.includes("frontend");

/** Services that have to be healthy before one starts. */
export function startsAfter({ needs = [], database, redis }: ServiceDefinition): string[] {
  return [...new Set([...needs, ...(database ? ["postgresql"] : []), ...(redis ? ["redis"] : [])])];
}

/** Services that have to be there for one: those it starts after, and those that provide what it asks for later. */
export function needsOf(definition: ServiceDefinition): string[] {
  const { llm, vectors } = definition;
  return [...new Set([...startsAfter(definition), ...(llm ? ["litellm"] : []), ...(vectors ? ["qdrant"] : [])])];
}

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

/** The definitions so that each comes after what it needs; throws when they need each other. */
export function inOrder(definitions: readonly ServiceDefinition[]): ServiceDefinition[] {
  const placed: ServiceDefinition[] = [];
  const done = new Set<string>();
  while (placed.length < definitions.length) {
    const ready = definitions.filter(
      (definition) => !done.has(definition.name) && startsAfter(definition).every((need) => done.has(need)),
    );
    if (ready.length === 0)
      throw new Error(
        `these services need each other: ${definitions
          .filter(({ name }) => !done.has(name))
          .map(({ name }) => name)
          .join(", ")}`,
      );
    for (const definition of ready) {
      placed.push(definition);
      done.add(definition.name);
    }
  }
  return placed;
}
