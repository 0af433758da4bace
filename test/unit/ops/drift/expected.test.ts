import { expect, test } from "@jest/globals";
import { recordReadback } from "../../../../components/database/readback.ts";
import { hostFiles, parseBootstrap, renderBootstrap } from "../../../../components/vps/bootstrap.ts";
import { installedBy } from "../../../../components/vps/installed.ts";
import { renderInspection } from "../../../../ops/drift/actual.ts";
import { expectedOf, requestFor, revealed, sha256, type StateResource } from "../../../../ops/drift/expected.ts";

const SECRET = "4dabf18193072939515e22adb298388d";
const secret = (value: unknown) => ({ [SECRET]: "1b47061264138c4ac30d75fd1eb44270", plaintext: JSON.stringify(value) });
const DEPLOY_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA";
const bootstrap = { sshPorts: [2222, 22], deployKey: DEPLOY_KEY, passwordLogin: false, files: hostFiles() };

const resource = (type: string, name: string, inputs: Record<string, unknown>, id = "x"): StateResource => ({
  urn: `urn:pulumi:prod::vpai::${type}::${name}`,
  type,
  id,
  inputs,
});
const ready = resource("command:remote:Command", "host-ready", {
  stdin: renderBootstrap(bootstrap),
  connection: secret({ host: "203.0.113.7", port: 2222, user: "deploy", hostKey: "host", privateKey: secret("key") }),
  triggers: ["42"],
});

test("a rendered bootstrap is taken apart as it was put together", () => {
  const { hash, ...rest } = parseBootstrap(renderBootstrap(bootstrap));
  expect(rest).toEqual(bootstrap);
  expect(renderBootstrap(bootstrap)).toContain(`export VPAI_HASH=${hash}\n`);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
});

test("what the bootstrap leaves is read from its own files", () => {
  const { files, packages, sshd, docker } = installedBy(parseBootstrap(renderBootstrap(bootstrap)));
  expect(packages).toEqual(expect.arrayContaining(["apparmor", "python3"]));
  const always = { port: ["2222", "22"], maxstartups: ["100:30:200"], maxsessions: ["64"], usedns: ["no"] };
  expect(sshd).toEqual({ ...always, passwordauthentication: ["no"], kbdinteractiveauthentication: ["no"] });
  const open = installedBy(parseBootstrap(renderBootstrap({ ...bootstrap, passwordLogin: true })));
  expect(open.sshd).toEqual(always);
  const paths = [files, open.files].map((each) => each.map(({ path }) => path));
  expect(paths[0]?.filter((path) => !paths[1]?.includes(path))).toEqual(["/etc/ssh/sshd_config.d/10-vpai-logins.conf"]);
  expect(docker).toEqual({
    "log-driver": '"json-file"',
    "log-opts": '{"max-file":"3","max-size":"10m"}',
    "live-restore": "true",
  });
  const sshdFile = files.find(({ path }) => path === "/etc/ssh/sshd_config.d/10-vpai.conf");
  expect(sshdFile?.content).toMatch(/^Port 2222\nPort 22\n# Written by/);
  expect(files.map(({ path }) => path)).toContain("/usr/local/lib/vpai/check-permanent-secrets");
});

test("secrets are read wherever they are, one in another too", () => {
  expect(revealed({ a: secret({ b: secret("c") }), d: [secret(1), null] })).toEqual({ a: { b: "c" }, d: [1, null] });
});

test("a stack without a server that was made ready expects nothing", () => {
  expect(expectedOf([])).toBeUndefined();
  expect(expectedOf([resource("hcloud:index/server:Server", "vps-server", { name: "vpai-prod" })])).toBeUndefined();
});

test("what the state records of a service", () => {
  const expected = expectedOf([
    ready,
    { ...resource("pulumi:pulumi:Stack", "vpai-prod", {}), outputs: { links: { app: "https://app.your.domain/" } } },
    resource("hcloud:index/server:Server", "vps-server", { name: "vpai-prod" }, "42"),
    resource("pulumi:providers:hcloud", "vps-provider", { token: secret("token") }),
    resource(
      "docker:index/network:Network",
      "host-network-backend",
      { name: "backend", internal: true, ipamConfigs: [{ subnet: "172.20.2.0/24" }] },
      "n1",
    ),
    { ...resource("docker:index/remoteImage:RemoteImage", "images-app", {}), outputs: { imageId: "sha256:i1" } },
    resource("command:remote:Command", "app-files", {
      stdin: secret(
        JSON.stringify({
          service: "app",
          owner: [1000, 1000],
          data: [{ path: "/opt/vpai/data/app", mode: "0700" }],
          config: { path: "/opt/vpai/config/app", files: [{ path: "key", mode: "0400", content: "abc" }] },
          reload: null,
        }),
      ),
    }),
    resource("command:local:Command", "firewall-rules", { stdin: "table inet vpai" }),
    resource("command:remote:Command", "app-healthy", { create: "/usr/local/lib/vpai/gate app 60 100" }),
    resource(
      "docker:index/container:Container",
      "app-container",
      {
        name: "app",
        memory: 256,
        cpus: "0.5",
        restart: "unless-stopped",
        networksAdvanced: [{ name: "egress" }, { name: "backend" }],
        ports: [
          { external: 443, protocol: "tcp" },
          { external: 443, protocol: "udp" },
        ],
        mounts: [
          { source: "/opt/vpai/data/app", target: "/data" },
          { source: "/etc/ssl/certs/ca-certificates.crt", target: "/etc/ssl/certs/ca-certificates.crt" },
        ],
      },
      "c1",
    ),
  ]);
  if (expected === undefined) throw new Error("nothing is expected");
  const { installed: _installed, ...rest } = expected;
  expect(rest).toEqual({
    software: {},
    stack: "prod",
    links: { app: "https://app.your.domain/" },
    access: { machineId: "42", address: "203.0.113.7", port: 2222, user: "deploy", hostKey: "host", privateKey: "key" },
    firewall: sha256("table inet vpai"),
    containers: [
      {
        name: "app",
        urn: "urn:pulumi:prod::vpai::docker:index/container:Container::app-container",
        id: "c1",
        networks: ["backend", "egress"],
        memoryMb: 256,
        cpus: 0.5,
        restart: "unless-stopped",
        ports: [443],
        pids: 100,
        gateSeconds: 60,
      },
    ],
    networks: [
      {
        name: "backend",
        urn: "urn:pulumi:prod::vpai::docker:index/network:Network::host-network-backend",
        id: "n1",
        subnet: "172.20.2.0/24",
        internal: true,
      },
    ],
    images: [
      {
        service: "app",
        urn: "urn:pulumi:prod::vpai::docker:index/remoteImage:RemoteImage::images-app",
        id: "sha256:i1",
      },
    ],
    files: [
      {
        path: "/opt/vpai/config/app/key",
        service: "app",
        sha256: sha256("abc"),
        mode: "0400",
        owner: [1000, 1000],
        reloaded: false,
      },
    ],
    folders: [{ path: "/opt/vpai/data/app", service: "app", mode: "0700", owner: [1000, 1000] }],
    trees: [{ path: "/opt/vpai/config/app", service: "app" }],
    mounts: [{ container: "app", source: "/opt/vpai/data/app", target: "/data" }],
    readbacks: [],
    probes: [],
    server: { name: "vpai-prod", id: "42", token: "token" },
  });
  expect(requestFor(expected)).toMatchObject({
    listening: [2222, 22, 443],
    units: ["docker", "ssh", "vpai-firewall"],
    user: "deploy",
  });
  expect(requestFor(expected).daemon).toEqual(["log-driver", "log-opts", "live-restore"]);
});

test("what was set in the services is in the state with what set it, and is asked for at once", () => {
  const readback = (name: string) => ({
    container: "db",
    argv: ["psql"],
    stdin: `SELECT '${name}';\n`,
    lines: [{ what: `role ${name}`, value: "login" }],
  });
  const database = (name: string): StateResource =>
    resource("command:remote:Command", `${name}-database`, {
      create: "psql",
      stdin: secret(recordReadback(readback(name), "CREATE ROLE x;\n")),
    });
  const get = { method: "GET", path: "/x", headers: { key: "secret" } };
  const post = { method: "POST", path: "/login" };
  const steps = [
    { name: "x", probe: get, satisfiedBy: { status: 200, json: { a: 1 } }, apply: [], holdsData: true },
    { name: "written", probe: post, satisfiedBy: { status: 200 }, apply: [] },
    {
      name: "owner (a hint)",
      probe: post,
      satisfiedBy: { status: 200 },
      apply: [],
      inspect: { request: get, satisfiedBy: { status: 204 } },
    },
  ];
  const expected = expectedOf([
    ready,
    database("a"),
    database("b"),
    resource("command:remote:Command", "c-database", { create: "psql", stdin: secret("CREATE ROLE c;\n") }),
    resource("command:remote:Command", "app-provisioned", {
      stdin: secret(JSON.stringify({ container: "app", port: 80, steps })),
    }),
    resource("command:remote:Command", "cache-files", {
      stdin: secret(
        JSON.stringify({
          service: "cache",
          owner: [1, 1],
          data: [],
          config: null,
          reload: { argv: ["reload", "it's"] },
          readback: { argv: ["list"], stdin: "password\n", lines: [{ what: "account a", value: "on" }] },
        }),
      ),
    }),
  ]);
  if (expected === undefined) throw new Error("nothing is expected");
  expect(expected.readbacks.map(({ container, resource: name, repair }) => ({ container, name, repair }))).toEqual([
    {
      container: "cache",
      name: "cache-files",
      repair: {
        kind: "command",
        command: "{ 'docker' 'exec' 'cache' 'reload' 'it'\\''s' || docker restart cache; }",
        service: "cache",
        done: "its files read again",
      },
    },
    { container: "db", name: "a-database", repair: { kind: "provision", name: "a-database" } },
    { container: "db", name: "b-database", repair: { kind: "provision", name: "b-database" } },
  ]);
  expect(requestFor(expected)).toMatchObject({
    readbacks: [
      { container: "cache", argv: ["list"], stdin: "password\n" },
      { container: "db", argv: ["psql"], stdin: "SELECT 'a';\nSELECT 'b';\n" },
    ],
    probes: [
      { container: "app", port: 80, request: get, wanted: [{ a: 1 }] },
      { container: "app", port: 80, request: get, wanted: [undefined] },
    ],
  });
  expect(expected.probes.map(({ name, resource: by, holdsData }) => [name, by, holdsData])).toEqual([
    ["x", "app-provisioned", true],
    ["owner", "app-provisioned", false],
  ]);
});

test("the request reaches Python as it is, quotes and all", () => {
  const request = {
    files: [`/a"b'\\c`],
    trees: [],
    folders: [],
    mounts: [],
    units: [],
    packages: [],
    user: "deploy",
    daemon: [],
    listening: [],
    readbacks: [],
    probes: [],
  };
  const [, text = ""] = /^main\(json\.loads\((.*)\)\)$/m.exec(renderInspection("script", request)) ?? [];
  expect(JSON.parse(JSON.parse(text) as string)).toEqual(request);
});
