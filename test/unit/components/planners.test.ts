import { describe, expect, test } from "@jest/globals";
import { planDatabases } from "../../../components/service/plan/databases.ts";
import { planRoutes } from "../../../components/service/plan/routes.ts";
import { planSecrets } from "../../../components/service/plan/secrets.ts";
import { needsOf, startsAfter } from "../../../components/service/plan/checks.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { planFiles, secretsOfFiles } from "../../../components/service/plan/files.ts";
import { goDuration, planContainer } from "../../../components/service/plan/container.ts";
import { planConnections, planFacts } from "../../../components/service/plan/requirements.ts";
import { catalogue } from "../../../stacks/catalogue.ts";
import { testContext } from "../../support/context.ts";
import { sample } from "../../support/sample.ts";

const context = testContext();

test("a container's plan", () => {
  expect(planContainer(sample, context, "the-image")).toEqual({
    name: "app",
    image: "the-image",
    user: "1234:1235",
    command: ["serve"],
    cgroupHost: false,
    envs: ["TZ=Europe/Paris", "URL=https://app.ai.example.com/"],
    networks: ["backend", "egress"],
    mounts: [
      { source: "/opt/vpai/data/app", target: "/data", readOnly: false },
      { source: "/opt/vpai/data/app/cache", target: "/cache", readOnly: false },
      { source: "/opt/vpai/config/app", target: "/etc/app", readOnly: true },
      { source: "/sys", target: "/host/sys", readOnly: true },
    ],
    ports: [{ ip: "0.0.0.0", internal: 8443, external: 8443, protocol: "tcp" }],
    healthcheck: { tests: ["CMD", "true"], interval: "5s", timeout: "2s", retries: 3, startPeriod: "1m30s" },
    capabilityAdds: ["CAP_CHOWN", "CAP_SETUID"],
    readOnly: true,
    tmpfs: { "/tmp": "rw" },
    memoryMb: 100,
    shmMb: 64,
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
    expect(secretsOfFiles(sample, context)).toEqual(["app-key"]);
    expect(planFiles(sample, context, "the-image", { "app-key": "s3cret" })).toEqual({
      service: "app",
      digest: expect.stringMatching(/^[0-9a-f]{16}$/),
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
    const files = planFiles({ ...sample, reload }, context, "the-image", { "app-key": "s3cret" });
    expect([files.validate, files.reload]).toEqual([
      ["run", "the-image", "{dir}"],
      { container: "app", image: "the-image", argv: ["reload"] },
    ]);
    const { validate } = planFiles({ ...sample, reload: { argv: ["x"] } }, context, "i", { "app-key": "s3cret" });
    expect(validate).toBeNull();
  });

  test("files may follow from the deployment, and a secret that is nowhere is a fault of the program", () => {
    const files: ServiceDefinition["files"] = ({ domain }) => [{ path: domain, secrets: ["gone"], render: () => "" }];
    expect(secretsOfFiles({ ...sample, files }, context)).toEqual(["gone"]);
    expect(() => planFiles({ ...sample, files }, context, "the-image", {})).toThrow("no secret is called gone");
  });

  test("the digest changes with a secret, and does not show it", () => {
    const digest = (value: string): string => planFiles(sample, context, "the-image", { "app-key": value }).digest;
    expect(digest("a")).not.toBe(digest("b"));
    expect(digest("a")).toMatch(/^[0-9a-f]{16}$/);
  });

  test("the digest changes with a file, and with none that the running service takes", () => {
    const digest = (fixed: string, live: string): string =>
      planFiles(
        {
          ...sample,
          files: [
            { path: "fixed", text: () => fixed },
            { path: live, live: true, text: () => live },
          ],
        },
        context,
        "the-image",
        {},
      ).digest;
    expect(digest("a", "x")).toBe(digest("a", "y"));
    expect(digest("a", "x")).not.toBe(digest("b", "x"));
  });
});

test("routes come in the order of their host names", () => {
  const other = {
    ...sample,
    name: "aaa",
    route: { label: "aaa", audience: "vpn" as const, readiness: "/", holdSeconds: 5 },
  };
  expect(planRoutes([sample, other, { ...sample, route: undefined }] as ServiceDefinition[], "x.org")).toEqual([
    {
      host: "aaa.x.org",
      service: "aaa",
      upstream: "aaa:8000",
      audience: "vpn",
      readiness: "/",
      holdSeconds: 5,
      deny: [],
    },
    {
      host: "app.x.org",
      service: "app",
      upstream: "app:8000",
      audience: "public",
      readiness: "/ready",
      holdSeconds: 60,
      deny: [],
    },
  ]);
});

test("databases have a role's name and a secret of their own", () => {
  expect(planDatabases([sample])).toEqual([
    { service: "app", name: "app", secret: "app-database", extensions: [], memberOf: [] },
  ]);
});

test("the list of secrets says what may never change", () => {
  expect(planSecrets([sample])).toEqual({
    "app-database": { length: 40, permanent: false, used: true },
    "app-key": { length: 64, permanent: true, used: true },
  });
  expect(planSecrets([], [sample])).toEqual({ "app-key": { length: 64, permanent: true, used: false } });
  expect(Object.keys(planSecrets([{ ...sample, redis: { keys: [] }, llm: { dailyBudgetUsd: 1 } }]))).toEqual([
    "app-database",
    "app-key",
    "app-llm",
    "app-redis",
  ]);
  expect(() => planSecrets([sample, sample])).toThrow("two secrets are called app-key");
});

test("the catalogue's secrets: what data depends on is permanent, and nothing else", () => {
  const permanent = Object.entries(planSecrets(catalogue)).filter(([, spec]) => spec.permanent);
  expect(permanent.map(([name]) => name)).toEqual([
    "grafana-admin-password",
    "grafana-secret-key",
    "litellm-salt-key",
    "n8n-encryption-key",
    "n8n-owner-password",
    "postgresql-superuser",
  ]);
});

describe("facts", () => {
  const asks: ServiceDefinition = {
    ...sample,
    name: "n8n",
    redis: { keys: ["n8n:*"] },
    llm: { dailyBudgetUsd: 2 },
    vectors: [{ name: "documents", dimensions: 3, distance: "Dot" }],
    dashboards: [
      {
        uid: "x",
        title: "X",
        panels: [{ title: "Y", kind: "stat", datasource: "metrics", queries: [{ expr: "up" }] }],
      },
    ],
  };
  const silent: ServiceDefinition = { ...sample, name: "silent", metrics: { none: "it says nothing" } };

  test("the union of what is declared", () => {
    expect(planFacts([asks, silent], { n8n: `docker.io/n8nio/n8n:2@sha256:${"0".repeat(64)}` })).toEqual({
      scrapes: [{ service: "n8n", address: "n8n:8000", path: "/metrics", bearer: "app-key" }],
      redisUsers: [
        { service: "n8n", secret: "n8n-redis", keys: ["n8n:*"], rules: ["+@all", "-@admin", "-@dangerous"] },
      ],
      llmClients: [{ service: "n8n", secret: "n8n-llm", dailyBudgetUsd: 2 }],
      collections: [{ service: "n8n", name: "documents", dimensions: 3, distance: "Dot" }],
      dashboards: asks.dashboards,
      images: [{ service: "n8n", repository: "docker.io/n8nio/n8n", tag: "2", versions: "^\\d+\\.\\d+\\.\\d+$" }],
    });
  });

  test("what a service cannot be without, and what it waits for", () => {
    expect(startsAfter({ ...asks, needs: ["a"] })).toEqual(["a", "postgresql", "redis"]);
    expect(needsOf(asks)).toEqual(["postgresql", "redis", "litellm", "qdrant"]);
  });

  test("who can connect to whom: by a common network that does not keep its members apart", () => {
    const web: ServiceDefinition = { ...sample, name: "web", networks: ["egress"], metrics: { port: 9 } };
    const hub: ServiceDefinition = { ...sample, name: "hub", networks: ["egress", "backend"], morePorts: [1] };
    const isolated = new Set(["egress"]);
    expect(planConnections([sample, web, hub], isolated)).toEqual([
      { from: "app", to: "hub", port: 1 },
      { from: "app", to: "hub", port: 8000 },
      { from: "app", to: "hub", port: 8443 },
      { from: "hub", to: "app", port: 8000 },
      { from: "hub", to: "app", port: 8443 },
    ]);
    expect(planConnections([web, hub], new Set()).map(({ from, to, port }) => `${from} ${to} ${port}`)).toEqual([
      "web hub 1",
      "web hub 8000",
      "web hub 8443",
      "hub web 9",
      "hub web 8000",
      "hub web 8443",
    ]);
  });
});
