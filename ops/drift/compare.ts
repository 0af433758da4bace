import { NETWORKS } from "../../components/host/networks.ts";
import type { Actual, ActualContainer, ActualNetwork } from "./actual.ts";
import type { Drift, Repair } from "./drift.ts";
import { type Expected, type ExpectedContainer, type ExpectedNetwork, sshPorts } from "./expected.ts";
import { compareData, compareFiles } from "./compare-files.ts";
import { compareFirewall, compareHost, compareSoftware } from "./compare-host.ts";
import { compareServices } from "./compare-services.ts";

type Docker = Exclude<Actual["docker"], { error: string }>;

/** Every difference, the server's own first: what is on it cannot be right before the server is. */
export function compare(expected: Expected, actual: Actual): Drift[] {
  const { docker } = actual;
  const host = [
    ...compareHost(expected, actual),
    ...compareFirewall(expected, actual),
    ...compareSoftware(expected, actual),
  ];
  const data = [...compareFiles(expected, actual), ...compareData(expected, actual)];
  if ("error" in docker) {
    const down = difference("Docker daemon", "running", docker.error, { kind: "bootstrap" });
    return [down, ...host, ...data];
  }
  return [
    ...host,
    ...compareNetworks(expected, docker),
    ...compareRules(expected, actual, docker),
    ...compareImages(expected, docker),
    ...data,
    ...compareContainers(expected, docker),
    ...compareServices(expected, actual),
    ...comparePorts(expected, actual, docker),
  ];
}

const difference = (resource: string, expected: string, actual: string, repair: Repair): Drift => ({
  resource,
  expected,
  actual,
  repair,
});

const short = (id: string): string => id.replace(/^sha256:/, "").slice(0, 12);
const list = (words: readonly string[]): string => words.join(", ") || "none";

function compareNetworks({ networks, containers }: Expected, docker: Docker): Drift[] {
  const membersOf = (name: string): string[] =>
    containers.flatMap((each) => (each.networks.includes(name) ? [each.name] : []));
  const known = networks.flatMap((network) => {
    const { name, urn } = network;
    const found = docker.networks.find((each) => each.name === name);
    const [expected, actual] = networkDifference(network, found) ?? [];
    if (expected === undefined || actual === undefined) return [];
    return [difference(`network ${name}`, expected, actual, { kind: "network", name, urn, services: membersOf(name) })];
  });
  // A refresh while Docker was down, or an older state: the run that makes it would find its name taken.
  const unknown = docker.networks
    .filter((each) => isOurs(each) && !networks.some(({ name }) => name === each.name))
    .map(({ name, id }) =>
      difference(`network ${name}`, "none", `${short(id)}, which the state does not have`, {
        kind: "network",
        name,
        services: membersOf(name),
      }),
    );
  return [...known, ...unknown];
}

/** Networks have no label: one of ours is known by its name with its range. */
function isOurs({ name, subnets, internal }: ActualNetwork): boolean {
  const plan = Object.entries(NETWORKS).find(([own]) => own === name)?.[1];
  return plan !== undefined && list(subnets) === plan.subnet && internal === plan.internal;
}

/** A firewall that is loaded again takes Docker's rules away; Docker makes them again only when it starts. */
function compareRules({ networks }: Expected, { rules }: Actual, docker: Docker): Drift[] {
  if (rules === null) return [];
  const made = new Set(docker.networks.map(({ id }) => id));
  const open = networks.filter(({ id, internal }) => made.has(id) && !internal);
  const closed = open.filter(({ subnet }) => !rules.forwarding || !rules.masqueraded.includes(subnet));
  if (closed.length === 0) return [];
  const names = (some: readonly ExpectedNetwork[]): string => list(some.map(({ name }) => name).toSorted());
  return [
    difference("Docker's firewall rules", `for ${names(open)}`, `missing for ${names(closed)}`, {
      kind: "command",
      command: "systemctl restart docker",
      done: "Docker restarted",
    }),
  ];
}

function networkDifference(
  { id, subnet, internal }: ExpectedNetwork,
  found: ActualNetwork | undefined,
): [expected: string, actual: string] | undefined {
  if (found === undefined) return [short(id), "not found"];
  const words = (subnets: readonly string[], inside: boolean): string =>
    `${list(subnets)}${inside ? ", internal" : ""}`;
  const [wanted, seen] = [words([subnet], internal), words(found.subnets, found.internal)];
  if (wanted !== seen) return [wanted, seen];
  return found.id === id ? undefined : [short(id), `${short(found.id)}: recreated by hand`];
}

function compareImages({ images }: Expected, docker: Docker): Drift[] {
  return images
    .filter(({ id }) => !docker.images.includes(id))
    .map(({ service, urn, id }) =>
      difference(`image of ${service}`, short(id), "not found", { kind: "refresh", urn, done: "pulled" }),
    );
}

function compareContainers({ containers }: Expected, docker: Docker): Drift[] {
  const known = new Set(containers.map(({ id }) => id));
  const names = new Set(containers.map(({ name }) => name));
  const unknown = docker.containers.filter(
    ({ id, name, service }) => service !== null && !known.has(id) && !names.has(name),
  );
  return [
    ...containers.flatMap((each) => compareContainer(each, docker.containers)),
    ...unknown.map(({ id, name, service }) =>
      difference(`container ${name}`, "none", `${short(id)}, with the label vpai.service=${service}`, {
        kind: "command",
        command: `docker rm --force ${id}`,
        done: "removed",
      }),
    ),
  ];
}

function compareContainer(wanted: ExpectedContainer, all: readonly ActualContainer[]): Drift[] {
  const { name, urn, id } = wanted;
  const resource = `container ${name}`;
  const own = all.find((each) => each.id === id);
  const namesake = all.find((each) => each.name === name);
  const make = (remove?: string): Repair => ({ kind: "make", service: name, urn, ...(remove && { remove }) });
  if (own === undefined) {
    return namesake === undefined
      ? [difference(resource, short(id), "not found", make())]
      : [difference(resource, short(id), `${short(namesake.id)}: recreated by hand`, make(namesake.id))];
  }
  if (own.name !== name) {
    const actual = `renamed to ${own.name}`;
    if (namesake) return [difference(resource, short(id), `${actual}, its name taken`, make(namesake.id))];
    return [
      difference(resource, `named ${name}`, actual, {
        kind: "command",
        command: `docker rename ${id} ${name}`,
        service: name,
        done: "renamed back",
      }),
    ];
  }
  const networks = compareAttachments(wanted, own);
  return [...compareStatus(wanted, own), ...networks, ...compareLimits(wanted, own)];
}

/** Restarts from which a container that is starting is one that ends again and again. */
const LOOP = 3;

/** A container that is starting is not healthy yet, and not a difference. */
function compareStatus({ name, id }: ExpectedContainer, own: ActualContainer): Drift[] {
  const resource = `container ${name}`;
  const put = (expected: string, actual: string, verb: string, done: string): Drift[] => [
    difference(resource, expected, actual, {
      kind: "command",
      command: `docker ${verb} ${id}`,
      service: name,
      done,
      ...(verb === "start" && { starts: true }),
    }),
  ];
  const { status, health, exitCode, oomKilled, restarts = 0 } = own;
  const why = oomKilled ? `exit code ${exitCode}, out of memory` : `exit code ${exitCode}`;
  if (status === "paused") return put("running", "paused", "unpause", "unpaused");
  if (status === "restarting") return put("running", `restarting again and again (${why})`, "restart", "restarted");
  if (status === "created") return put("running", "created, never started", "start", "started");
  if (status !== "running") return put("running", `${status} (${why})`, "start", "started");
  // Docker starts it at once where it ran for ten seconds: between two ends it looks as if it were starting.
  if (health === "starting" && restarts >= LOOP)
    return put("running", `restarted by Docker ${restarts} times, and not healthy yet`, "restart", "restarted");
  return health === "unhealthy" ? put("healthy", "unhealthy", "restart", "restarted") : [];
}

function compareAttachments({ name, networks }: ExpectedContainer, own: ActualContainer): Drift[] {
  const [expected, actual] = [list(networks), list(own.networks.toSorted())];
  if (expected === actual) return [];
  return [difference(`networks of container ${name}`, expected, actual, { kind: "replace", service: name })];
}

const MB = 1024 * 1024;
const limit = (amount: number, unit: string): string => (amount <= 0 ? "no limit" : `${amount}${unit}`);

function compareLimits({ name, urn, memoryMb, cpus, restart, pids }: ExpectedContainer, own: ActualContainer): Drift[] {
  const refresh: Repair = { kind: "refresh", urn, done: "set again" };
  const rows: [what: string, expected: string, actual: string, repair: Repair][] = [
    ["memory limit", limit(memoryMb, " MB"), limit(own.memory / MB, " MB"), refresh],
    ["memory and swap limit", limit(memoryMb, " MB"), limit(own.memorySwap / MB, " MB"), refresh],
    ["CPU limit", limit(cpus, ""), limit(own.nanoCpus / 1e9, ""), { kind: "replace", service: name }],
    ["restart policy", restart, own.restart, refresh],
  ];
  if (pids !== undefined)
    rows.push(["process limit", limit(pids, ""), limit(own.pids, ""), { kind: "gate", service: name }]);
  return rows
    .filter(([, expected, actual]) => expected !== actual)
    .map(([what, expected, actual, repair]) => difference(`${what} of container ${name}`, expected, actual, repair));
}

/** Whether a process is of a container on the server's own network: tailscaled listens for members at ports that change. */
const isOnHostNetwork = (process: string, containers: readonly ExpectedContainer[]): boolean =>
  containers.some(({ name, networks }) => networks.includes("host") && [name, `${name}d`].includes(process));

/** Published ports of running containers, and on a server that we made also those that nothing declares. */
function comparePorts({ installed, containers, server }: Expected, { listening }: Actual, docker: Docker): Drift[] {
  const open = new Set(listening.map(({ port }) => port));
  const running = new Set(docker.containers.flatMap(({ id, status }) => (status === "running" ? [id] : [])));
  const closed = containers
    .filter(({ id }) => running.has(id))
    .flatMap(({ name, id, ports }) =>
      ports
        .filter((port) => !open.has(port))
        .map((port) =>
          difference(`port ${port}/tcp`, `container ${name}`, "nothing listens", {
            kind: "command",
            command: `docker restart ${id}`,
            service: name,
            done: `container ${name} restarted`,
          }),
        ),
    );
  const declared = new Set([...sshPorts(installed), ...containers.flatMap(({ ports }) => ports)]);
  // An existing server may run other software: its owner's.
  const undeclared =
    server === undefined
      ? []
      : listening.filter(({ port, process }) => !declared.has(port) && !isOnHostNetwork(process, containers));
  return [
    ...closed,
    ...undeclared.map(({ port, process }) =>
      difference(`port ${port}/tcp`, "closed", `open, by process ${process}`, {
        kind: "manual",
        fix: `stop ${process}, or have it listen on 127.0.0.1`,
      }),
    ),
  ];
}
