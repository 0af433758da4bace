import type { Fault } from "../../shared/errors.ts";
import type { Route } from "../edge/routes.ts";
import type { ServiceDefinition, Size } from "./definition.ts";

/** What the system, sshd, dockerd and the page cache need besides the containers, in MB. */
export const SYSTEM_MB = 512;

/** How the limits of memory add up; a sum beyond the machine is a fault, because the kernel would choose who dies. */
export function planMemory(
  definitions: readonly ServiceDefinition[],
  size: Size,
  machine: { readonly name: string; readonly memoryMb: number },
): { readonly neededMb: number; readonly faults: Fault[] } {
  const neededMb = definitions.reduce((sum, { memoryMb }) => sum + memoryMb[size], SYSTEM_MB);
  if (neededMb <= machine.memoryMb) return { neededMb, faults: [] };
  const parts = definitions.map(({ name, memoryMb }) => `${name} ${memoryMb[size]}`).join(", ");
  return {
    neededMb,
    faults: [
      {
        key: "vpai:vps",
        found: `${machine.name} has ${machine.memoryMb} MB`,
        allowed: `at least ${neededMb} MB (system ${SYSTEM_MB}, ${parts})`,
        fix:
          size === "standard"
            ? "choose a larger server, or `pulumi config set vpai:size small`"
            : "choose a larger server",
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

/** Names that are used twice or that nothing answers to, and routes nobody could serve. */
export function checkNames(definitions: readonly ServiceDefinition[], routes: readonly Route[]): Fault[] {
  const faults: Fault[] = [];
  const names = new Set<string>();
  for (const { name, needs, database, secrets, configDir, files, networks, route, port } of definitions) {
    const say = (found: string, fix: string): number => faults.push({ key: `service ${name}`, found, fix });
    if (names.has(name)) say("its name is taken", "give each service a name of its own");
    names.add(name);
    for (const need of [...(needs ?? []), ...(database ? ["postgresql"] : [])]) {
      if (!definitions.some((other) => other.name === need))
        say(`it needs ${need}, which is not there`, "add it to the catalogue");
    }
    for (const secret of Object.keys(secrets ?? {})) {
      if (!secret.startsWith(`${name}-`)) say(`its secret ${secret}`, `begin the name with ${name}-`);
    }
    if ((files ?? []).length > 0 && !configDir) say("files but no configDir", "say where the container sees them");
    if (route && (port === undefined || !networks.includes("backend")))
      say("a route but no port on backend", "give it both");
  }
  const hosts = routes.map(({ host }) => host);
  for (const { host, service, audience } of routes) {
    if (hosts.indexOf(host) !== hosts.lastIndexOf(host)) {
      faults.push({ key: `service ${service}`, found: `host name ${host} is taken`, fix: "choose another label" });
    }
    if (audience === "vpn") {
      faults.push({
        key: `service ${service}`,
        found: "audience vpn",
        allowed: "public: this deployment has no VPN yet",
        fix: "change its route",
      });
    }
  }
  return faults;
}

/** The definitions so that each comes after what it needs; throws when they need each other. */
export function inOrder(definitions: readonly ServiceDefinition[]): ServiceDefinition[] {
  const placed: ServiceDefinition[] = [];
  const done = new Set<string>();
  while (placed.length < definitions.length) {
    const ready = definitions.filter(
      ({ name, needs }) => !done.has(name) && (needs ?? []).every((need) => done.has(need)),
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
