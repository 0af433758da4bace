import { expect, test } from "@jest/globals";
import type { Image } from "../../../components/images.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
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
    memoryMb: { standard: 1024, small: 512 },
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
    memoryMb: { standard: 1024, small: 768 },
    metrics: {},
    backup: { reason: "its database is saved with PostgreSQL" },
    database: { name: "n8n" },
    route: { subdomain: "n8n", audience: "public", healthPath: "/healthz" },
    llm: { dailyBudgetUsd: 1 },
  },
  {
    ...common,
    name: "litellm",
    image: imageOf(`ghcr.io/berriai/litellm:v1.102.1${digest}`),
    provides: "llm",
    networks: ["backend"],
    port: 4000,
    user: { uid: 0, gid: 0 },
    memoryMb: { standard: 1536, small: 896 },
    metrics: { path: "/metrics/" },
    backup: { reason: "its keys are made again" },
  },
  {
    ...common,
    name: "caddy",
    image: imageOf(`docker.io/library/caddy:2.11.7${digest}`),
    networks: ["frontend"],
    user: { uid: 65532, gid: 65532 },
    memoryMb: { standard: 128, small: 96 },
    publish: [
      { port: 443, protocol: "tcp" },
      { port: 443, protocol: "udp" },
    ],
    metrics: { port: 2019, path: "/m" },
    backup: { reason: "nothing of it is lost" },
  },
];

const input = { size: "small", domain: "ai.example.com", pins: {} } as const;

test("the table of a small catalogue", () => {
  expect(servicesTable(serviceRows(small, input), "small")).toBe(
    [
      "SERVICE     VERSION  NETWORKS        PORT  OPEN             ROUTE                        MB   USER         METRICS       BACKUP   NEEDS",
      "postgresql  18.1     backend         5432  -                -                            512  999:999      -             cluster  -",
      "n8n         2.42.4   backend egress  5678  -                n8n.ai.example.com (public)  768  1000:1000    5678/metrics  -        postgresql litellm",
      "caddy       2.11.7   frontend        -     443/tcp 443/udp  -                            96   65532:65532  2019/m        -        -",
      "",
      "3 services, 1376 MB at most (size small)",
      "postgresql has no metrics: its exporter tells them",
      "n8n has no backup: its database is saved with PostgreSQL",
      "caddy has no backup: nothing of it is lost",
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
    memoryMb: 1024,
    user: "1000:1000",
    metrics: "5678/metrics",
    backup: { reason: "its database is saved with PostgreSQL" },
    needs: ["postgresql", "litellm"],
  });
});
