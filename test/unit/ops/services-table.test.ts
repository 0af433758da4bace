import { describe, expect, test } from "@jest/globals";
import type { Image } from "../../../components/images.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { parseLiveMemory } from "../../../ops/services/live-memory.ts";
import { serviceRows, servicesTable } from "../../../ops/services/table.ts";

const digest = `@sha256:${"a1".repeat(32)}`;
const imageOf = (pin: string): Image => ({ pin, versions: String.raw`^\d`, notes: "https://example.com/{tag}" });
const common = {
  health: {
    test: ["CMD", "true"],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 10,
    deadlineSeconds: 60,
  },
  tmpfs: {},
  pids: 100,
  cpus: 1,
  stopGraceSeconds: 10,
  alerts: [],
  dashboards: [],
  upgrade: "nothing",
  smoke: [{ name: "is there", exec: ["true"], prints: /^$/ }],
} as const;

const small: readonly ServiceDefinition[] = [
  {
    ...common,
    name: "postgresql",
    image: imageOf(`docker.io/library/postgres:18.1${digest}`),
    provides: "database",
    networks: ["backend"],
    port: 5432,
    user: { uid: 999, gid: 999 },
    memory: { requestMb: { standard: 384, small: 224 }, limitMb: { standard: 1024, small: 512 } },
    metrics: { reason: "its exporter tells them" },
    backup: {
      scope: "everything",
      items: [{ name: "cluster", dump: ["a"], restore: ["b"], verify: { argv: ["c"], expect: /d/ } }],
    },
  },
  {
    ...common,
    name: "n8n",
    image: imageOf(`docker.io/n8nio/n8n:2.42.4${digest}`),
    networks: ["backend", "egress"],
    port: 5678,
    user: { uid: 1000, gid: 1000 },
    memory: { requestMb: 560, limitMb: { standard: 1024, small: 768 } },
    metrics: {},
    backup: { reason: "its database is saved with PostgreSQL" },
    database: { name: "n8n" },
    route: { subdomain: "n8n", audience: "public", healthPath: "/healthz" },
    llm: { dailyBudgetUsd: 1 },
  },
  {
    ...common,
    name: "caddy",
    image: imageOf(`docker.io/library/caddy:2.11.7${digest}`),
    networks: ["frontend"],
    user: { uid: 65532, gid: 65532 },
    memory: { requestMb: 64, limitMb: { standard: 128, small: 96 } },
    publish: [
      { port: 443, protocol: "tcp" },
      { port: 443, protocol: "udp" },
    ],
    metrics: { port: 2019, path: "/m" },
    backup: { reason: "nothing of it is lost" },
  },
  {
    ...common,
    name: "litellm",
    image: imageOf(`ghcr.io/berriai/litellm:v1.102.1${digest}`),
    provides: "llm",
    networks: ["backend"],
    port: 4000,
    user: { uid: 0, gid: 0 },
    memory: { requestMb: 640, limitMb: { standard: 1536, small: 896 } },
    metrics: { path: "/metrics/" },
    backup: { reason: "its keys are made again" },
  },
];

const input = { size: "small", domain: "ai.example.com", pins: {} } as const;

test("the table of a small catalogue", () => {
  expect(servicesTable(serviceRows(small, input), input)).toBe(
    [
      "SERVICE     VERSION   NETWORKS        PORT  OPEN             ROUTE                        REQUEST MB  LIMIT MB  USER         METRICS        BACKUP   NEEDS",
      "postgresql  18.1      backend         5432  -                -                            224         512       999:999      -              cluster  -",
      "n8n         2.42.4    backend egress  5678  -                n8n.ai.example.com (public)  560         768       1000:1000    5678/metrics   -        postgresql litellm",
      "caddy       2.11.7    frontend        -     443/tcp 443/udp  -                            64          96        65532:65532  2019/m         -        -",
      "litellm     v1.102.1  backend         4000  -                -                            640         896       0:0          4000/metrics/  -        -",
      "",
      "4 services, size small: requests 1488 MB, limits 2272 MB",
      "postgresql has no metrics: its exporter tells them",
      "n8n has no backup: its database is saved with PostgreSQL",
      "caddy has no backup: nothing of it is lost",
      "litellm has no backup: its keys are made again",
      "",
    ].join("\n"),
  );
});

test("a row has what another program wants, the reasons among it", () => {
  const image = `ghcr.io/mine/n8n:2.43.0-mine${digest}`;
  const [, row] = serviceRows(small, { ...input, size: "standard", pins: { n8n: image } });
  expect(row).toEqual({
    service: "n8n",
    image,
    version: "2.43.0-mine",
    networks: ["backend", "egress"],
    port: 5678,
    open: [],
    route: { host: "n8n.ai.example.com", audience: "public" },
    memory: { requestMb: 560, limitMb: 1024 },
    user: "1000:1000",
    metrics: "5678/metrics",
    backup: { reason: "its database is saved with PostgreSQL" },
    needs: ["postgresql", "litellm"],
  });
});

const live = {
  usedMb: new Map([
    ["postgresql", 101],
    ["caddy", 31],
    ["somebody-elses", 999],
  ]),
  server: { totalMb: 7937, availableMb: 5120, swapMb: 2048 },
};

test("with the server's answer the table has what each uses, and a service that does not run has none", () => {
  const lines = servicesTable(serviceRows(small, { ...input, live }), { ...input, live }).split("\n");
  const at = lines[0]?.indexOf("USED") ?? -1;
  expect(lines.slice(1, 4).map((line) => line.slice(at, at + 6).trim())).toEqual(["101", "-", "31"]);
  expect(lines.slice(6, 8)).toEqual([
    "4 services, size small: requests 1488 MB, limits 2272 MB, in use 132 MB",
    "the server: 7937 MB of memory, 5120 available; 2048 MB of swap, which containers do not use",
  ]);
});

test("with the server's answer a row has it too", () => {
  const rows = serviceRows(small, { ...input, live });
  expect(rows.map(({ memory }) => memory)).toEqual([
    { requestMb: 224, limitMb: 512, usedMb: 101 },
    { requestMb: 560, limitMb: 768 },
    { requestMb: 64, limitMb: 96, usedMb: 31 },
    { requestMb: 640, limitMb: 896 },
  ]);
});

describe("what the server answers", () => {
  test("in Docker's units and the kernel's", () => {
    const text = [
      "caddy 31.4MiB / 96MiB",
      "n8n 1.25GiB / 1.5GiB",
      "diun 512KiB / 96MiB",
      "stopped 0B / 0B",
      "MemTotal:        8127488 kB",
      "MemAvailable:    5242880 kB",
      "SwapTotal:             0 kB",
    ].join("\n");
    expect(parseLiveMemory(text)).toEqual({
      usedMb: new Map([
        ["caddy", 31],
        ["n8n", 1280],
        ["diun", 1],
        ["stopped", 0],
      ]),
      server: { totalMb: 7937, availableMb: 5120, swapMb: 0 },
    });
  });

  test("in other words is refused", () => {
    expect(() => parseLiveMemory("caddy -- / --")).toThrow(
      "not a line of docker stats or /proc/meminfo: caddy -- / --",
    );
  });
});
