import { describe, expect, test } from "@jest/globals";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import type { Capability } from "../../../components/service/model/facets.ts";
import { publicOrigin } from "../../../components/service/model/public-origin.ts";
import { secretFile } from "../../../components/service/presets/index.ts";
import { serviceSecrets } from "../../../components/service/model/secrets.ts";
import { planConnections } from "../../../components/service/plan/connections.ts";
import { goDuration, planContainer } from "../../../components/service/plan/container.ts";
import { planDatabases } from "../../../components/service/plan/databases.ts";
import { planFiles } from "../../../components/service/plan/files.ts";
import {
  accountHolders,
  allDependencies,
  missingCapabilities,
  startupDependencies,
} from "../../../components/service/plan/order.ts";
import { collectRequirements } from "../../../components/service/plan/requirements.ts";
import { planRoutes } from "../../../components/service/plan/routes.ts";
import { checkSecrets, planSecrets, revealFrom, secretsOfFiles } from "../../../components/service/plan/secrets.ts";
import { catalogue } from "../../../stacks/catalogue.ts";
import { testContext } from "../../support/context.ts";
import { sample } from "../../support/sample.ts";

const context = testContext();

test("a container's plan", () => {
  expect(planContainer(sample, context)).toEqual({
    name: "app",
    hostNetwork: false,
    devices: [],
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
    expect(planFiles(sample, context, "the-image", revealFrom({ "app-key": "s3cret" }))).toEqual({
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
    const files = planFiles({ ...sample, reload }, context, "the-image", revealFrom({ "app-key": "s3cret" }));
    expect([files.validate, files.reload]).toEqual([
      ["run", "the-image", "{dir}"],
      { container: "app", image: "the-image", argv: ["reload"] },
    ]);
    const { validate } = planFiles(
      { ...sample, reload: { argv: ["x"] } },
      context,
      "i",
      revealFrom({ "app-key": "s3cret" }),
    );
    expect(validate).toBeNull();
  });

  test("files may follow from the deployment, and an unknown secret is reported at plan time", () => {
    const { ref } = serviceSecrets("app", { missing: { permanent: false } });
    const files: ServiceDefinition["files"] = ({ domain }) => [
      { path: domain, content: (_, reveal) => reveal(ref.missing) },
    ];
    const definition = { ...sample, files };
    expect(secretsOfFiles(definition, context)).toEqual(["app-missing"]);
    expect(() => planFiles(definition, context, "the-image", revealFrom({}))).toThrow("unknown secret: app-missing");
    expect(checkSecrets([definition], context, planSecrets([definition]))).toEqual([
      expect.objectContaining({ key: "service app", found: "unknown secret: app-missing" }),
    ]);
    expect(checkSecrets([sample], context, planSecrets([sample]))).toEqual([]);
    // Held by the type check of `npm run lint`: neither a misspelt name nor a string is a reference.
    // @ts-expect-error -- misspelt
    expect(ref.mising).toBeUndefined();
    // @ts-expect-error -- a string
    expect(secretFile("x", "app-missing").path).toBe("secrets/x");
  });

  test("the digest changes with a secret, and does not show it", () => {
    const digest = (value: string): string =>
      planFiles(sample, context, "the-image", revealFrom({ "app-key": value })).digest;
    expect(digest("a")).not.toBe(digest("b"));
    expect(digest("a")).toMatch(/^[0-9a-f]{16}$/);
  });

  test("the digest changes with a file, and with none that the running service takes", () => {
    const digest = (fixed: string, live: string): string =>
      planFiles(
        {
          ...sample,
          files: [
            { path: "fixed", content: () => fixed },
            { path: live, live: true, content: () => live },
          ],
        },
        context,
        "the-image",
        revealFrom({}),
      ).digest;
    expect(digest("a", "x")).toBe(digest("a", "y"));
    expect(digest("a", "x")).not.toBe(digest("b", "x"));
  });
});

test("routes come in the order of their host names", () => {
  const other = {
    ...sample,
    name: "aaa",
    route: { subdomain: "aaa", audience: "vpn" as const, healthPath: "/", upstreamWaitSeconds: 5 },
  };
  expect(
    planRoutes([sample, other, { ...sample, route: undefined }] as ServiceDefinition[], {
      domain: "x.org",
      publicPort: 443,
    }),
  ).toEqual([
    {
      host: "aaa.x.org",
      origin: "https://aaa.x.org",
      service: "aaa",
      upstream: "aaa:8000",
      audience: "vpn",
      healthPath: "/",
      upstreamWaitSeconds: 5,
      denyPaths: [],
      oncePaths: [],
    },
    {
      host: "app.x.org",
      origin: "https://app.x.org",
      service: "app",
      upstream: "app:8000",
      audience: "public",
      healthPath: "/ready",
      upstreamWaitSeconds: 60,
      denyPaths: [],
      oncePaths: [],
    },
  ]);
});

test.each([
  [443, "https://x.org", "https://app.x.org"],
  [8443, "https://x.org:8443", "https://app.x.org:8443"],
])("behind port %i the origins are %s and %s", (publicPort, home, app) => {
  expect(publicOrigin({ domain: "x.org", publicPort })).toBe(home);
  expect(publicOrigin({ domain: "x.org", publicPort }, "app")).toBe(app);
});

test("databases have a role's name and a secret of their own", () => {
  const server = { ...sample, name: "db", provides: "database" as const };
  expect(planDatabases([server])).toEqual([
    {
      service: "db",
      server: "db",
      name: "app",
      password: "db-database",
      extensions: [],
      memberOf: [],
      holdsData: false,
    },
  ]);
});

test("the list of secrets says what may never change", () => {
  expect(planSecrets([sample])).toEqual({
    "app-database": { length: 40, permanent: false, active: true },
    "app-key": { length: 64, permanent: true, active: true },
  });
  expect(planSecrets([], [sample])).toEqual({ "app-key": { length: 64, permanent: true, active: false } });
  expect(Object.keys(planSecrets([{ ...sample, cache: { keys: [] }, llm: { dailyBudgetUsd: 1 } }]))).toEqual([
    "app-cache",
    "app-database",
    "app-key",
    "app-llm",
  ]);
  expect(() => planSecrets([sample, sample])).toThrow("two secrets have the name app-key");
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

describe("requirements", () => {
  const asks: ServiceDefinition = {
    ...sample,
    name: "n8n",
    cache: { keys: ["n8n:*"] },
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
  const silent: ServiceDefinition = { ...sample, name: "silent", metrics: { reason: "it says nothing" } };

  test("the union of what is declared", () => {
    const digest = `sha256:${"0".repeat(64)}`;
    expect(
      collectRequirements([asks, silent], {
        n8n: `docker.io/n8nio/n8n:2@${digest}`,
        silent: `quay.io/x/y:1@${digest}`,
      }),
    ).toEqual({
      scrapes: [{ service: "n8n", address: "n8n:8000", path: "/metrics", bearer: "app-key" }],
      cacheUsers: [
        { service: "n8n", password: "n8n-cache", keys: ["n8n:*"], rules: ["+@all", "-@admin", "-@dangerous"] },
      ],
      llmClients: [{ service: "n8n", secret: "n8n-llm", dailyBudgetUsd: 2 }],
      collections: [{ service: "n8n", name: "documents", dimensions: 3, distance: "Dot" }],
      dashboards: asks.dashboards,
      images: [
        { service: "n8n", repository: "docker.io/n8nio/n8n", tag: "2", versions: "^\\d+$" },
        { service: "silent", repository: "quay.io/x/y", tag: "1", versions: "^\\d+$" },
      ],
    });
  });

  test("what a service cannot be without, and what it waits for", () => {
    const provider = (name: string, provides: Capability): ServiceDefinition => ({ ...silent, name, provides });
    const all = [
      asks,
      provider("a", "vectors"),
      provider("b", "database"),
      provider("c", "llm"),
      provider("d", "cache"),
    ];
    expect(startupDependencies({ ...asks, needs: ["e"] }, all)).toEqual(["e", "b", "d"]);
    expect(allDependencies(asks, all)).toEqual(["b", "d", "c", "a"]);
    expect(accountHolders(asks, all)).toEqual(["d", "c", "a"]);
    expect(missingCapabilities(asks, [asks])).toEqual(["database", "cache", "llm", "vectors"]);
  });

  test("who can connect to whom: by a common network that does not keep its members apart", () => {
    const web: ServiceDefinition = { ...sample, name: "web", networks: ["egress"], metrics: { port: 9 } };
    const hub: ServiceDefinition = { ...sample, name: "hub", networks: ["egress", "backend"], internalPorts: [1] };
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
