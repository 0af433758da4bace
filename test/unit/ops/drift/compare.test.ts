import { describe, expect, test } from "@jest/globals";
import type { Actual } from "../../../../ops/drift/actual.ts";
import { compare } from "../../../../ops/drift/compare.ts";
import { type Expected, sha256 } from "../../../../ops/drift/expected.ts";
import { actionOf, planRepair } from "../../../../ops/drift/repair-plan.ts";
import { statusDrift } from "../../../../ops/drift/server-status.ts";
import {
  clean,
  expected,
  IMAGE,
  withAnswer,
  withContainer,
  withDocker,
  withLines,
  withNetwork,
  withPath,
} from "./sample.ts";

const MB = 1024 * 1024;
const X = "f".repeat(64);
const [CONFIG, DATA] = ["/opt/vpai/config", "/opt/vpai/data"];
const [KEY, CADDYFILE] = [`${CONFIG}/app/secrets/key`, `${CONFIG}/edge/Caddyfile`];
const GATE = "/usr/local/lib/vpai/gate";
const EDITED = "0".repeat(64);

/** One line a difference: resource, expected → actual, and what `up` does. */
const lines = (actual: Actual, from: Expected = expected): string[] =>
  compare(from, actual).map(
    ({ resource, expected: wanted, actual: found, repair }) =>
      `${resource}: ${wanted} → ${found} [${repair.kind === "lost" ? "lost" : actionOf(repair)}]`,
  );

test("a server that is as the last run left it has no difference", () => {
  expect(lines(clean)).toEqual([]);
});

test("software on the server that was stopped, removed or edited is installed and proved again", () => {
  const fail2ban = {
    packages: ["fail2ban"],
    files: [{ path: "/etc/jail", mode: "0644", content: "jail" }],
    logs: [],
    units: ["fail2ban"],
    proofs: [],
  };
  const wanted = { ...expected, software: { "software-installed": fail2ban } };
  const jail = { kind: "file", mode: "0644", owner: [0, 0], sha256: sha256("jail") } as const;
  const right: Actual = {
    ...clean,
    packages: { ...clean.packages, fail2ban: "installed" },
    units: { ...clean.units, fail2ban: { enabled: "enabled", active: "active" } },
    paths: { ...clean.paths, "/etc/jail": jail },
  };
  expect(lines(right, wanted)).toEqual([]);
  const wrong: Actual = {
    ...right,
    packages: { ...right.packages, fail2ban: "not-installed" },
    units: { ...right.units, fail2ban: { enabled: "enabled", active: "failed" } },
    paths: { ...right.paths, "/etc/jail": null },
  };
  expect(lines(wrong, wanted)).toEqual([
    "package fail2ban: installed → not-installed [set again]",
    "unit fail2ban: enabled, active → enabled, failed [set again]",
    "file /etc/jail: a file → not found [set again]",
  ]);
});

test("a stack that has not run since servers have a firewall of their own expects none", () => {
  const { firewall: _none, ...older } = expected;
  expect(lines({ ...clean, firewall: { kept: null, recorded: null, listed: null } }, older)).toEqual([]);
});

const without = (name: string): Actual =>
  withDocker(({ containers }) => ({ containers: containers.filter((each) => each.name !== name) }));
const and = (name: string, more: object): Actual =>
  withDocker(({ containers }) => ({ containers: [...containers, { ...containers[0]!, id: X, name, ...more }] }));
const unit = (name: string, enabled: string, active: string): Actual => ({
  ...clean,
  units: { ...clean.units, [name]: { enabled, active } },
});
const moved = (name: string, folder: object): Actual => ({
  ...withPath(`${DATA}/${name}`, folder),
  mounts: clean.mounts.map((each) => ({ ...each, same: each.container !== name })),
});
const also = (path: string): Actual => ({ ...clean, trees: { ...clean.trees, [`${CONFIG}/app`]: [KEY, path] } });

const firewall = (more: Partial<Actual["firewall"]>): Actual => ({
  ...clean,
  firewall: { ...clean.firewall, ...more },
});

test.each<[how: string, actual: Actual, drift: string[]]>([
  // Firewall
  [
    "nft flush ruleset",
    firewall({ listed: null }),
    ["firewall of the server: as `vpai ports` lists → not loaded [set again]"],
  ],
  [
    "nft add rule",
    firewall({ listed: X }),
    ["firewall of the server: as `vpai ports` lists → changed by hand [set again]"],
  ],
  [
    "rm /var/lib/vpai/firewall.listed",
    firewall({ recorded: null }),
    ["firewall of the server: as `vpai ports` lists → changed by hand [set again]"],
  ],
  [
    "another clone's rules",
    firewall({ kept: X }),
    ["firewall of the server: as `vpai ports` lists → other rules [set again]"],
  ],
  // Containers
  [
    "docker stop",
    withContainer("app", { status: "exited", health: "unhealthy" }),
    ["container app: running → exited (exit code 0) [started]"],
  ],
  [
    "docker kill",
    withContainer("app", { status: "exited", exitCode: 137 }),
    ["container app: running → exited (exit code 137) [started]"],
  ],
  [
    "killed by the kernel",
    withContainer("app", { status: "exited", exitCode: 137, oomKilled: true }),
    ["container app: running → exited (exit code 137, out of memory) [started]"],
  ],
  ["docker pause", withContainer("app", { status: "paused" }), ["container app: running → paused [unpaused]"]],
  [
    "a process that ends again and again",
    withContainer("app", { status: "restarting", exitCode: 1 }),
    ["container app: running → restarting again and again (exit code 1) [restarted]"],
  ],
  [
    "a process that ends again and again, seen between two ends",
    withContainer("app", { health: "starting", restarts: 3 }),
    ["container app: running → restarted by Docker 3 times, and not healthy yet [restarted]"],
  ],
  ["a container that is starting, for the second time", withContainer("app", { health: "starting", restarts: 1 }), []],
  [
    "never started",
    withContainer("app", { status: "created" }),
    ["container app: running → created, never started [started]"],
  ],
  [
    "dead",
    withContainer("app", { status: "dead", exitCode: 1 }),
    ["container app: running → dead (exit code 1) [started]"],
  ],
  ["unhealthy", withContainer("app", { health: "unhealthy" }), ["container app: healthy → unhealthy [restarted]"]],
  ["starting, as after a boot", withContainer("app", { health: "starting" }), []],
  ["docker rm", without("app"), ["container app: aaaaaaaaaaaa → not found [created]"]],
  [
    "docker rm, docker run",
    withContainer("app", { id: X }),
    ["container app: aaaaaaaaaaaa → ffffffffffff: recreated by hand [removed and created]"],
  ],
  [
    "the same without our label",
    withContainer("app", { id: X, service: null }),
    ["container app: aaaaaaaaaaaa → ffffffffffff: recreated by hand [removed and created]"],
  ],
  [
    "docker rename",
    withContainer("app", { name: "app2" }),
    ["container app: named app → renamed to app2 [renamed back]"],
  ],
  [
    "docker rename, and another in its place",
    withDocker(({ containers }) => ({
      containers: [
        ...containers.map((each) => (each.name === "app" ? { ...each, name: "old" } : each)),
        { ...containers[0]!, id: X },
      ],
    })),
    ["container app: aaaaaaaaaaaa → renamed to old, its name taken [removed and created]"],
  ],
  [
    "a stray one with our label",
    and("stray", { service: "stray" }),
    ["container stray: none → ffffffffffff, with the label vpai.service=stray [removed]"],
  ],
  ["one of the operator's own", and("mine", { service: null }), []],
  // Limits
  [
    "docker update --memory",
    withContainer("app", { memory: 128 * MB, memorySwap: 256 * MB }),
    ["memory limit of container app: 256 MB → 128 MB [set again]"],
  ],
  [
    "no memory limit",
    withContainer("app", { memory: 0, memorySwap: 0 }),
    [
      "memory limit of container app: 256 MB → no limit [set again]",
      "memory and swap limit of container app: 256 MB → no limit [set again]",
    ],
  ],
  [
    "docker update --memory-swap -1",
    withContainer("app", { memorySwap: -1 }),
    ["memory and swap limit of container app: 256 MB → no limit [set again]"],
  ],
  [
    "docker update --cpus",
    withContainer("app", { nanoCpus: 2e9 }),
    ["CPU limit of container app: 0.5 → 2 [container replaced]"],
  ],
  [
    "docker update --restart",
    withContainer("app", { restart: "no" }),
    ["restart policy of container app: unless-stopped → no [set again]"],
  ],
  [
    "docker update --pids-limit",
    withContainer("app", { pids: 0 }),
    ["process limit of container app: 100 → no limit [set again]"],
  ],
  // Networks
  [
    "docker network disconnect",
    withContainer("app", { networks: ["backend"] }),
    ["networks of container app: backend, egress → backend [container replaced]"],
  ],
  [
    "disconnected from all",
    withContainer("db", { networks: [] }),
    ["networks of container db: backend → none [container replaced]"],
  ],
  [
    "docker network connect",
    withContainer("db", { networks: ["egress", "backend"] }),
    ["networks of container db: backend → backend, egress [container replaced]"],
  ],
  [
    "docker network rm",
    withDocker(({ networks }) => ({ networks: networks.slice(1) })),
    ["network backend: 111111111111 → not found [created, containers replaced: app, db, edge]"],
  ],
  [
    "a network that no container is in",
    withDocker(({ networks }) => ({ networks: networks.slice(0, 2) })),
    ["network frontend: 333333333333 → not found [created, containers replaced: edge]"],
  ],
  [
    "a network made again by hand",
    withNetwork("egress", { id: X }),
    ["network egress: 222222222222 → ffffffffffff: recreated by hand [created, containers replaced: app]"],
  ],
  [
    "… with another subnet",
    withNetwork("egress", { id: X, subnets: ["10.0.0.0/8"] }),
    ["network egress: 172.20.2.0/24 → 10.0.0.0/8 [created, containers replaced: app]"],
  ],
  [
    "… that leads out",
    withNetwork("backend", { id: X, internal: false }),
    ["network backend: 172.20.1.0/24, internal → 172.20.1.0/24 [created, containers replaced: app, db, edge]"],
  ],
  // Images
  [
    "docker rmi --force",
    withDocker(() => ({ images: [IMAGE("e")] })),
    ["image of app: dddddddddddd → not found [pulled]"],
  ],
  // Services' files
  [
    "a secret edited",
    withPath(KEY, { sha256: EDITED }),
    [`file ${KEY}: sha256 2bb80d537b1d → sha256 000000000000: edited [files written, container replaced]`],
  ],
  [
    "a file edited that is reloaded",
    withPath(CADDYFILE, { sha256: EDITED }),
    [`file ${CADDYFILE}: sha256 e22bc966d935 → sha256 000000000000: edited [files written]`],
  ],
  ["a file removed", withPath(KEY, null), [`file ${KEY}: a file → not found [files written, container replaced]`]],
  [
    "chmod",
    withPath(KEY, { mode: "0644" }),
    [`file ${KEY}: mode 0400, owner 1000:1000 → mode 0644, owner 1000:1000 [files written]`],
  ],
  [
    "chown",
    withPath(KEY, { owner: [0, 0] }),
    [`file ${KEY}: mode 0400, owner 1000:1000 → mode 0400, owner 0:0 [files written]`],
  ],
  [
    "a link in its place",
    withPath(KEY, { kind: "link", sha256: undefined }),
    [`file ${KEY}: a file → a link [files written, container replaced]`],
  ],
  [
    "a file that no service has",
    also(`${CONFIG}/app/extra`),
    [`file ${CONFIG}/app/extra: none → a file [files written]`],
  ],
  [
    "a service's whole folder removed",
    { ...withPath(`${CONFIG}/edge`, null), trees: { ...clean.trees, [`${CONFIG}/edge`]: [] } },
    [`folder ${CONFIG}/edge: a folder → not found [files written, container replaced]`],
  ],
  // Data
  ["data removed", withPath(`${DATA}/db`, null), [`data ${DATA}/db: a folder → not found [lost]`]],
  ["a file where data was", withPath(`${DATA}/db`, { kind: "file" }), [`data ${DATA}/db: a folder → a file [lost]`]],
  [
    "data removed, an empty folder in its place",
    moved("db", { empty: true }),
    [`data ${DATA}/db: the folder that its container uses → another folder, empty [lost]`],
  ],
  [
    "data moved away, other data in its place",
    moved("db", {}),
    [`data ${DATA}/db: the folder that its container uses → another folder [lost]`],
  ],
  [
    "data opened to others",
    withPath(`${DATA}/db`, { mode: "0777" }),
    [`data ${DATA}/db: mode 0700, owner 1000:1000 → mode 0777, owner 1000:1000 [files written]`],
  ],
  [
    "a container that does not run shows no folder",
    { ...clean, mounts: clean.mounts.map((each) => ({ ...each, same: null })) },
    [],
  ],
  // Docker's own rules
  [
    "iptables -t nat -F",
    { ...clean, rules: { masqueraded: [], forwarding: true } },
    ["Docker's firewall rules: for egress, frontend → missing for egress, frontend [Docker restarted]"],
  ],
  [
    "iptables -F",
    { ...clean, rules: { masqueraded: ["172.20.2.0/24", "172.20.3.0/24"], forwarding: false } },
    ["Docker's firewall rules: for egress, frontend → missing for egress, frontend [Docker restarted]"],
  ],
  [
    "one network's rule deleted",
    { ...clean, rules: { masqueraded: ["172.20.3.0/24"], forwarding: true } },
    ["Docker's firewall rules: for egress, frontend → missing for egress [Docker restarted]"],
  ],
  ["a server whose rules cannot be read", { ...clean, rules: null }, []],
  // The server itself
  ["a script of ours removed", withPath(GATE, null), [`file ${GATE}: a file → not found [bootstrap run again]`]],
  [
    "a script of ours edited",
    withPath(GATE, { sha256: EDITED }),
    [`file ${GATE}: sha256 b53de24efca8 → sha256 000000000000: edited [bootstrap run again]`],
  ],
  [
    "daemon.json edited",
    { ...clean, daemon: { ...clean.daemon, "live-restore": "false" } },
    ["Docker setting live-restore: true → false [bootstrap run again]"],
  ],
  [
    "daemon.json removed",
    { ...clean, daemon: {} },
    [
      "Docker setting live-restore: true → not set [bootstrap run again]",
      'Docker setting log-driver: "json-file" → not set [bootstrap run again]',
    ],
  ],
  [
    "sudo's file opened",
    withPath("/etc/sudoers.d/vpai", { mode: "0644" }),
    ["file /etc/sudoers.d/vpai: mode 0440, owner 0:0 → mode 0644, owner 0:0 [bootstrap run again]"],
  ],
  [
    "a key added",
    withPath("/home/deploy/.ssh/authorized_keys", { sha256: EDITED }),
    ["file /home/deploy/.ssh/authorized_keys: sha256 64536be9b860 → sha256 000000000000: edited [bootstrap run again]"],
  ],
  [
    "a package removed",
    { ...clean, packages: { ...clean.packages, curl: "not-installed" } },
    ["package curl: installed → not-installed [bootstrap run again]"],
  ],
  [
    "a package left half configured",
    { ...clean, packages: { ...clean.packages, curl: "half-configured" } },
    ["package curl: installed → half-configured [bootstrap run again]"],
  ],
  [
    "systemctl stop docker",
    { ...unit("docker", "enabled", "inactive"), docker: { error: "Cannot connect to the Docker daemon" } },
    [
      "Docker daemon: running → Cannot connect to the Docker daemon [bootstrap run again]",
      "unit docker: enabled, active → enabled, inactive [bootstrap run again]",
    ],
  ],
  [
    "systemctl disable docker",
    unit("docker", "disabled", "active"),
    ["unit docker: enabled, active → disabled, active [bootstrap run again]"],
  ],
  [
    "systemctl mask ssh",
    unit("ssh", "masked", "active"),
    ["unit ssh: enabled, active → masked, active [bootstrap run again]"],
  ],
  [
    "sshd's settings changed",
    { ...clean, sshd: { ...clean.sshd, maxsessions: ["10"] } },
    ["sshd setting maxsessions: 64 → 10 [bootstrap run again]"],
  ],
  [
    "a port of sshd added",
    { ...clean, sshd: { ...clean.sshd, port: ["22", "2222"] } },
    ["sshd setting port: 2222 → 22, 2222 [bootstrap run again]"],
  ],
  [
    "sshd's port closed",
    { ...clean, listening: clean.listening.slice(0, 1) },
    ["port 2222/tcp: sshd → nothing listens [bootstrap run again]"],
  ],
  [
    "the user out of its group",
    { ...clean, user: { uid: 1001, gid: 1001, groups: [] } },
    ["user deploy: member of docker → not a member of docker [bootstrap run again]"],
  ],
  // Ports
  [
    "a published port closed",
    { ...clean, listening: clean.listening.slice(1) },
    ["port 443/tcp: container edge → nothing listens [container edge restarted]"],
  ],
  [
    "a port opened",
    { ...clean, listening: [...clean.listening, { port: 8000, process: "python3" }] },
    ["port 8000/tcp: closed → open, by process python3 [left as it is: stop python3, or have it listen on 127.0.0.1]"],
  ],
  // Inside the services
  [
    "a role that may more, and less",
    withLines("db", ["role app|login, superuser", "database app|owner app", "schema public of database app|owner app"]),
    ["role app: login, member of readers → login, superuser [set again]"],
  ],
  [
    "a role dropped, its database given away",
    withLines("db", ["database app|owner postgres", "schema public of database app|owner app, open to PUBLIC"]),
    [
      "role app: login, member of readers → not found [set again]",
      "database app: owner app → owner postgres [set again]",
      "schema public of database app: owner app → owner app, open to PUBLIC [set again]",
    ],
  ],
  [
    "a database dropped",
    withLines("db", ["role app|login, member of readers"]),
    ["database app: owner app → not found [lost]"],
  ],
  [
    "a command that fails",
    withLines("db", [], "connection refused"),
    ["what is set in db: an answer → connection refused [left as it is: see `docker logs db` on the server]"],
  ],
  [
    "an account changed, one added",
    withLines("edge", ["account a|on +@all", "account b|on"]),
    ["account a: on +get → on +@all [its files read again]", "account b: none → on [its files read again]"],
  ],
  [
    "a key with another budget",
    withAnswer(0, 200, { info: { budget: 5, models: [] } }),
    ["the key of edge in app: info.budget 2 → info.budget 5 [set again]"],
  ],
  [
    "a key for some models",
    withAnswer(0, 200, { info: { budget: 2, models: ["x"] } }),
    ['the key of edge in app: info.models [] → info.models ["x"] [set again]'],
  ],
  ["a key deleted", withAnswer(0, 404, {}), ["the key of edge in app: 200 → status 404 [set again]"]],
  ["no answer", withAnswer(0, 0, null), ["the key of edge in app: 200 → no answer [set again]"]],
  ["what holds data deleted", withAnswer(1, 404, {}), ["collection x in app: 200 → not found [lost]"]],
  [
    "services that are not healthy are not asked, and nothing is known of them",
    { ...clean, readbacks: [null, null], probes: [null, null] },
    [],
  ],
])("%s", (_how, actual, drift) => {
  expect(lines(actual)).toEqual(drift);
});

test("on a server that the operator had before, other software may listen", () => {
  const { server: _server, ...existing } = expected;
  const actual = { ...clean, listening: [...clean.listening, { port: 8000, process: "python3" }] };
  expect(lines(actual, existing)).toEqual([]);
});

test("lost data: what to do is one sentence and one command", () => {
  const [drift] = compare(expected, withPath(`${DATA}/db`, null));
  expect(drift?.repair).toEqual({
    kind: "lost",
    fix:
      "put the data of db back where it was (from a backup) and restart its container; or start db without it: " +
      "`vpai up --skip-inspect --stack prod -- --replace '**::db-files' --replace '**::db-prepared' --replace '**::db-container' --replace '**Command::*-database'`",
  });
});

test("a lost database: what to do is one sentence and one command", () => {
  const [drift] = compare(expected, withLines("db", ["role app|login, member of readers"]));
  expect(drift?.repair).toEqual({
    kind: "lost",
    fix:
      "put it back from a backup; or start without its data: " +
      "`vpai up --skip-inspect --stack prod -- --replace '**::app-database' --replace '**::app-container'`",
  });
});

test.each([
  ["running", undefined],
  ["off", "server vpai-prod: running → off [powered on]"],
  ["migrating", "server vpai-prod: running → migrating [cannot be repaired]"],
  [undefined, "server vpai-prod: running → Hetzner knows no server with the id 42 [cannot be repaired]"],
])("what Hetzner calls %s", (status, line) => {
  const drift = statusDrift({ name: "vpai-prod", id: "42" }, status, "prod");
  expect(drift && `${drift.resource}: ${drift.expected} → ${drift.actual} [${actionOf(drift.repair)}]`).toBe(line);
});

describe("a network that the state does not have", () => {
  const lost = { ...expected, networks: expected.networks.filter(({ name }) => name !== "egress") };
  const withRange = (subnets: readonly string[], internal: boolean): Actual =>
    withDocker(({ networks }) => ({
      networks: networks.map((each) => (each.name === "egress" ? { ...each, subnets, internal } : each)),
    }));

  test("is ours by its name with its range: removed, and made again with its containers", () => {
    const [drift, ...more] = compare(lost, withRange(["172.20.4.0/24"], false));
    expect(more).toEqual([]);
    expect(drift).toEqual({
      resource: "network egress",
      expected: "none",
      actual: "222222222222, which the state does not have",
      repair: { kind: "network", name: "egress", services: ["app"] },
    });
    expect(planRepair(drift ? [drift] : [])).toMatchObject({
      commands: [expect.stringContaining("docker network rm egress")],
      refresh: [],
      flags: ["--replace", "**::app-container"],
    });
  });

  test.each([
    ["another range", ["10.9.0.0/16"], false],
    ["no way out", ["172.20.4.0/24"], true],
  ])("with %s is its owner's", (_, subnets, internal) => {
    expect(compare(lost, withRange(subnets, internal))).toEqual([]);
  });
});
