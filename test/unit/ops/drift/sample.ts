import type { Actual, ActualContainer, ActualNetwork } from "../../../../ops/drift/actual.ts";
import { type Expected, sha256 } from "../../../../ops/drift/expected.ts";

// A server with three services: app (files, data), edge (takes new files while it runs, publishes a port), db (data).

const urn = (type: string, name: string): string => `urn:pulumi:prod::vpai::${type}::${name}`;
const id = (first: string): string => first.repeat(64);
export const IMAGE = (first: string): string => `sha256:${id(first)}`;
const MB = 1024 * 1024;

const containers = [
  { name: "app", id: id("a"), networks: ["backend", "egress"], ports: [] },
  { name: "db", id: id("b"), networks: ["backend"], ports: [] },
  { name: "edge", id: id("c"), networks: ["backend", "frontend"], ports: [443] },
];
const networks = ["backend", "egress", "frontend"].map((name, index) => ({
  name,
  id: id(String(index + 1)),
  subnet: `172.20.${index + 1}.0/24`,
  internal: name === "backend",
}));
const file = (service: string, path: string, content: string, reloaded: boolean) => ({
  path: `/opt/vpai/config/${service}/${path}`,
  service,
  sha256: sha256(content),
  mode: "0400",
  owner: [1000, 1000] as const,
  reloaded,
});
const installed = [
  { path: "/usr/local/lib/vpai/gate", mode: "0755", content: "gate\n" },
  { path: "/etc/sudoers.d/vpai", mode: "0440", content: "deploy ALL\n" },
  { path: "/home/deploy/.ssh/authorized_keys", mode: "0600", content: "ssh-ed25519 AAAA\n", owner: "deploy" },
];
const data = ["app", "db"].map((service) => ({
  path: `/opt/vpai/data/${service}`,
  service,
  mode: "0700",
  owner: [1000, 1000] as const,
}));
const mounts = data.map(({ path, service }) => ({ container: service, source: path, target: "/data" }));

/** What the last run recorded. */
export const expected: Expected = {
  stack: "prod",
  links: { app: "https://app.your.domain/" },
  access: { machineId: "1", address: "203.0.113.7", port: 2222, user: "deploy", hostKey: "", privateKey: "" },
  installed: {
    files: installed,
    packages: ["curl", "docker.io"],
    units: ["docker", "ssh"],
    sshd: { port: ["2222"], maxsessions: ["64"] },
    docker: { "live-restore": "true", "log-driver": '"json-file"' },
    user: { name: "deploy", group: "docker" },
  },
  firewall: sha256("table inet vpai"),
  software: {},
  containers: containers.map((each) => ({
    ...each,
    urn: urn("docker:index/container:Container", `${each.name}-container`),
    memoryMb: 256,
    cpus: 0.5,
    restart: "unless-stopped",
    pids: 100,
  })),
  networks: networks.map((each) => ({
    ...each,
    urn: urn("docker:index/network:Network", `host-network-${each.name}`),
  })),
  images: [{ service: "app", urn: urn("docker:index/remoteImage:RemoteImage", "images-app"), id: IMAGE("d") }],
  files: [file("app", "secrets/key", "secret", false), file("edge", "Caddyfile", "routes", true)],
  folders: data,
  trees: ["app", "edge"].map((service) => ({ path: `/opt/vpai/config/${service}`, service })),
  mounts,
  readbacks: [
    {
      container: "db",
      argv: ["psql"],
      stdin: "SELECT 1;\n",
      lines: [
        { what: "role app", value: "login, member of readers" },
        { what: "database app", value: "owner app", holdsData: true },
        { what: "schema public of database app", value: "owner app" },
      ],
      repair: { kind: "provision", name: "app-database" },
      resource: "app-database",
    },
    {
      container: "edge",
      argv: ["accounts"],
      stdin: "list\n",
      lines: [{ what: "account a", value: "on +get" }],
      repair: { kind: "command", command: "docker exec edge reload", service: "edge", done: "its files read again" },
      resource: "edge-files",
    },
  ],
  probes: [
    {
      container: "app",
      port: 80,
      name: "the key of edge",
      request: { method: "GET", path: "/key" },
      satisfiedBy: [{ status: 200, json: { info: { budget: 2, models: [] } } }],
      holdsData: false,
      resource: "app-provisioned",
    },
    {
      container: "app",
      port: 80,
      name: "collection x",
      request: { method: "GET", path: "/x" },
      satisfiedBy: [{ status: 200 }, { status: 204 }],
      holdsData: true,
      resource: "app-provisioned",
    },
  ],
  server: { name: "vpai-prod", id: "42", token: "token" },
};

/** The part of an answer about Docker, when it answers. */
export type Docker = Exclude<Actual["docker"], { error: string }>;

const folder = { kind: "folder", mode: "0700", owner: [1000, 1000], empty: false } as const;
const actualFile = ({ mode, sha256: digest }: { mode: string; sha256: string }, owner: readonly [number, number]) =>
  ({ kind: "file", mode, owner, sha256: digest }) as const;

const docker: Docker = {
  version: "20.10.24",
  containers: containers.map((each): ActualContainer => ({
    ...each,
    image: IMAGE("d"),
    status: "running",
    exitCode: 0,
    oomKilled: false,
    health: "healthy",
    memory: 256 * MB,
    memorySwap: 256 * MB,
    nanoCpus: 5e8,
    pids: 100,
    restart: "unless-stopped",
    service: each.name,
  })),
  networks: networks.map(({ subnet, ...each }): ActualNetwork => ({ ...each, subnets: [subnet] })),
  images: [IMAGE("d"), IMAGE("e")],
};

/** The same server, read. */
export const clean: Actual = {
  client: "198.51.100.7",
  docker,
  paths: Object.fromEntries([
    ...installed.map(({ path, mode, content, owner }) => [
      path,
      actualFile({ mode, sha256: sha256(content) }, owner ? [1001, 1001] : [0, 0]),
    ]),
    ...expected.files.map((each) => [each.path, actualFile(each, [1000, 1000])]),
    ...[...expected.folders, ...expected.trees].map(({ path }) => [path, folder]),
  ]),
  trees: Object.fromEntries(
    expected.trees.map(({ path, service }) => [
      path,
      expected.files.flatMap((each) => (each.service === service ? [each.path] : [])),
    ]),
  ),
  mounts: mounts.map((each) => ({ ...each, same: true })),
  units: { docker: { enabled: "enabled", active: "active" }, ssh: { enabled: "enabled", active: "active" } },
  packages: { curl: "installed", "docker.io": "installed" },
  user: { uid: 1001, gid: 1001, groups: ["docker"] },
  sshd: { port: ["2222"], maxsessions: ["64"], usedns: ["no"] },
  daemon: { "live-restore": "true", "log-driver": '"json-file"' },
  rules: { masqueraded: ["172.17.0.0/16", "172.20.2.0/24", "172.20.3.0/24"], forwarding: true },
  firewall: { kept: sha256("table inet vpai"), recorded: "1".repeat(64), listed: "1".repeat(64) },
  listening: [
    { port: 443, process: "" },
    { port: 2222, process: "" },
  ],
  readbacks: [
    {
      container: "db",
      lines: ["role app|login, member of readers", "database app|owner app", "schema public of database app|owner app"],
      error: "",
    },
    { container: "edge", lines: ["account a|+get on"], error: "" },
  ],
  probes: [
    { status: 200, json: { info: { budget: 2, models: [] } } },
    { status: 204, json: {} },
  ],
};

/** The same server after somebody changed what Docker has. */
export const withDocker = (change: (docker: Docker) => Partial<Docker>): Actual => ({
  ...clean,
  docker: { ...docker, ...change(docker) },
});

/** … one of its containers. */
export const withContainer = (name: string, change: Partial<ActualContainer>): Actual =>
  withDocker((all) => ({
    containers: all.containers.map((each) => (each.name === name ? { ...each, ...change } : each)),
  }));

/** … one of its networks. */
export const withNetwork = (name: string, change: Partial<ActualNetwork>): Actual =>
  withDocker((all) => ({ networks: all.networks.map((each) => (each.name === name ? { ...each, ...change } : each)) }));

/** … what is at a path. */
export const withPath = (path: string, change: Partial<NonNullable<Actual["paths"][string]>> | null): Actual => ({
  ...clean,
  paths: { ...clean.paths, [path]: change && { ...folder, ...clean.paths[path], ...change } },
});

/** … what the command in a container prints. */
export const withLines = (container: string, lines: readonly string[], error = ""): Actual => ({
  ...clean,
  readbacks: clean.readbacks.map((each) => (each?.container === container ? { container, lines, error } : each)),
});

/** … what a service answers to the request of this number. */
export const withAnswer = (index: number, status: number, json: unknown): Actual => ({
  ...clean,
  probes: clean.probes.map((each, at) => (at === index ? { status, json } : each)),
});
