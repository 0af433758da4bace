import { describe, expect, test } from "@jest/globals";
import { planDatabases } from "../../../components/database/plan.ts";
import { planRoutes } from "../../../components/edge/routes.ts";
import { planSecrets } from "../../../components/secrets/plan.ts";
import { checkNames, checkPorts, inOrder, planMemory } from "../../../components/service/checks.ts";
import type { ServiceDefinition } from "../../../components/service/definition.ts";
import { filesDigest, planFiles, secretsOfFiles } from "../../../components/service/files.ts";
import { goDuration, planContainer } from "../../../components/service/plan.ts";
import { catalogue } from "../../../stacks/catalogue.ts";

const context = { domain: "ai.example.com", timezone: "Europe/Paris", size: "small" as const, routes: [] };

const sample: ServiceDefinition = {
  name: "app",
  image: "docker.io/x/app:1@sha256:0",
  networks: ["egress", "backend"],
  port: 8000,
  publish: [{ port: 8443, protocol: "tcp" }],
  user: { uid: 1234, gid: 1235 },
  command: ["serve"],
  data: [
    { path: "", target: "/data" },
    { path: "cache", target: "/cache", mode: "0750" },
  ],
  configDir: "/etc/app",
  files: [
    { path: "app.conf", mode: "0444", text: ({ domain }) => `domain ${domain}\n` },
    { path: "secrets/key", secrets: ["app-key"], render: (values) => values["app-key"] ?? "" },
  ],
  environment: ({ domain }) => ({ URL: `https://app.${domain}/` }),
  secrets: { "app-key": { permanent: true, length: 64 } },
  database: { name: "app" },
  health: {
    test: ["CMD", "true"],
    intervalSeconds: 5,
    timeoutSeconds: 2,
    retries: 3,
    startPeriodSeconds: 90,
    deadlineSeconds: 60,
  },
  capabilities: ["CAP_SETUID", "CAP_CHOWN"],
  tmpfs: { "/tmp": "rw" },
  pids: 10,
  memoryMb: { standard: 200, small: 100 },
  cpus: 1,
  stopGraceSeconds: 30,
  route: { label: "app", audience: "public", readiness: "/ready" },
};

test("a container's plan", () => {
  expect(planContainer(sample, context, "the-image")).toEqual({
    name: "app",
    image: "the-image",
    user: "1234:1235",
    command: ["serve"],
    envs: ["TZ=Europe/Paris", "URL=https://app.ai.example.com/"],
    networks: ["backend", "egress"],
    mounts: [
      { source: "/opt/vpai/data/app", target: "/data", readOnly: false },
      { source: "/opt/vpai/data/app/cache", target: "/cache", readOnly: false },
      { source: "/opt/vpai/config/app", target: "/etc/app", readOnly: true },
    ],
    ports: [{ ip: "0.0.0.0", internal: 8443, external: 8443, protocol: "tcp" }],
    healthcheck: { tests: ["CMD", "true"], interval: "5s", timeout: "2s", retries: 3, startPeriod: "1m30s" },
    capabilityAdds: ["CAP_CHOWN", "CAP_SETUID"],
    readOnly: true,
    tmpfs: { "/tmp": "rw" },
    memoryMb: 100,
    cpus: "1.0",
    pids: 10,
    destroyGraceSeconds: 30,
    gateSeconds: 60,
  });
});

test.each([
  [0, "0s"],
  [59, "59s"],
  [60, "1m0s"],
  [90, "1m30s"],
  [3600, "1h0m0s"],
  [3725, "1h2m5s"],
])("%i seconds are %s to Go", (seconds, text) => {
  expect(goDuration(seconds)).toBe(text);
});

describe("files on the host", () => {
  test("directories keep their owner, secrets stay with the container's user", () => {
    expect(secretsOfFiles(sample)).toEqual(["app-key"]);
    expect(planFiles(sample, context, "the-image", { "app-key": "s3cret" })).toEqual({
      service: "app",
      owner: [1234, 1235],
      data: [
        { path: "/opt/vpai/data/app", mode: "0700" },
        { path: "/opt/vpai/data/app/cache", mode: "0750" },
      ],
      config: {
        path: "/opt/vpai/config/app",
        files: [
          { path: "app.conf", mode: "0444", content: "domain ai.example.com\n" },
          { path: "secrets/key", mode: "0400", content: "s3cret" },
        ],
      },
      validate: null,
      reload: null,
    });
  });

  test("a reloading service validates with its own image", () => {
    const reload = { validate: ["run", "{image}", "{dir}"], argv: ["reload"] };
    const files = planFiles({ ...sample, reload }, context, "the-image", {});
    expect([files.validate, files.reload]).toEqual([
      ["run", "the-image", "{dir}"],
      { container: "app", argv: ["reload"] },
    ]);
  });

  test("the digest changes with a secret, and does not show it", () => {
    const digest = (value: string): string =>
      filesDigest(planFiles(sample, context, "the-image", { "app-key": value }));
    expect(digest("a")).not.toBe(digest("b"));
    expect(digest("a")).toMatch(/^[0-9a-f]{16}$/);
  });
});

test("routes come in the order of their host names", () => {
  const other = {
    ...sample,
    name: "aaa",
    route: { label: "aaa", audience: "vpn" as const, readiness: "/", holdSeconds: 5 },
  };
  expect(planRoutes([sample, other, { ...sample, route: undefined }] as ServiceDefinition[], "x.org")).toEqual([
    { host: "aaa.x.org", service: "aaa", upstream: "aaa:8000", audience: "vpn", readiness: "/", holdSeconds: 5 },
    {
      host: "app.x.org",
      service: "app",
      upstream: "app:8000",
      audience: "public",
      readiness: "/ready",
      holdSeconds: 60,
    },
  ]);
});

test("databases have a role's name and a secret of their own", () => {
  expect(planDatabases([sample])).toEqual([{ service: "app", name: "app", secret: "app-database", extensions: [] }]);
});

test("the list of secrets says what may never change", () => {
  expect(planSecrets([sample])).toEqual({
    "app-database": { length: 40, permanent: false },
    "app-key": { length: 64, permanent: true },
  });
  expect(() => planSecrets([sample, sample])).toThrow("two secrets are called app-key");
});

test("the catalogue's secrets: what data depends on is permanent", () => {
  const permanent = Object.entries(planSecrets(catalogue)).map(([name, spec]) => [name, spec.permanent]);
  expect(Object.fromEntries(permanent)).toEqual({
    "n8n-database": false,
    "n8n-encryption-key": true,
    "postgresql-superuser": true,
    "redis-app": false,
  });
});

describe("memory", () => {
  test("what fits", () => {
    expect(planMemory([sample], "standard", { name: "x", memoryMb: 712 })).toEqual({ neededMb: 712, faults: [] });
  });

  test("what does not", () => {
    expect(planMemory([sample], "standard", { name: "cx23", memoryMb: 711 }).faults).toEqual([
      {
        key: "vpai:vps",
        found: "cx23 has 711 MB",
        allowed: "at least 712 MB (system 512, app 200)",
        fix: "choose a larger server, or `pulumi config set vpai:size small`",
      },
    ]);
  });

  test("the catalogue, small, fits the smallest current server, and standard does not fit by accident", () => {
    expect(planMemory(catalogue, "small", { name: "cx23", memoryMb: 4096 }).faults).toEqual([]);
    expect(planMemory(catalogue, "standard", { name: "cx33", memoryMb: 8192 }).faults).toEqual([]);
  });
});

test("ports that two want", () => {
  const twin = { ...sample, name: "twin" };
  expect(checkPorts([sample, twin], 8443).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "vpai:ssh.port: 8443",
    "vpai:ssh.port: 8443",
  ]);
  expect(checkPorts([sample, twin], 2222).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "service twin: port 8443/tcp, which app has",
  ]);
  expect(checkPorts(catalogue, 2222)).toEqual([]);
});

describe("names", () => {
  const said = (definition: Partial<ServiceDefinition>): string[] => {
    const all = [
      { ...sample, ...definition } as ServiceDefinition,
      {
        ...sample,
        name: "postgresql",
        database: undefined,
        secrets: {},
        route: undefined,
      } as unknown as ServiceDefinition,
    ];
    return checkNames(all, planRoutes(all, "x.org")).map(({ key, found }) => `${key}: ${found}`);
  };
  test.each<[string, Partial<ServiceDefinition>, string[]]>([
    ["nothing wrong", {}, []],
    ["taken", { name: "postgresql", secrets: {} }, ["service postgresql: its name is taken"]],
    ["a need that is not there", { needs: ["mysql"] }, ["service app: it needs mysql, which is not there"]],
    ["a secret of another service", { secrets: { key: { permanent: true } } }, ["service app: its secret key"]],
    ["a route without a way", { networks: ["egress"] }, ["service app: a route but no port on backend"]],
    [
      "an audience that does not exist yet",
      { route: { label: "a", audience: "vpn", readiness: "/" } },
      ["service app: audience vpn"],
    ],
  ])("%s", (_name, definition, expected) => {
    expect(said(definition)).toEqual(expected);
  });

  test("the catalogue has none wrong", () => {
    expect(checkNames(catalogue, planRoutes(catalogue, "x.org"))).toEqual([]);
  });
});

test("order: each comes after what it needs", () => {
  const [a, b] = [
    { ...sample, name: "a", needs: ["b"] },
    { ...sample, name: "b" },
  ];
  expect(inOrder([a, b]).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(() =>
    inOrder([
      { ...a, needs: ["b"] },
      { ...b, needs: ["a"] },
    ]),
  ).toThrow("need each other: a, b");
});
