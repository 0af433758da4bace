import { images } from "../../images.ts";
import { renderAlloyConfig } from "./config.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { FileSpec, ServiceContext, ServiceDefinition } from "../../service/model/definition.ts";
import type { Argv } from "../../service/model/operations.ts";

const CONFIG_DIR = "/etc/vpai";
const SECRETS = "secrets";

/** One request by what the image has: bash, and neither wget nor curl. Prints the answer, fails unless it is 200. */
const ask = (request: string): Argv => [
  "bash",
  "-c",
  `exec 3<>/dev/tcp/127.0.0.1/12345 && printf '${request} HTTP/1.0\\r\\n\\r\\n' >&3 && read -r line <&3 && echo "$line" && cat <&3 && [[ $line == *' 200 '* ]]`,
];
const ASK_READY = ask("GET /-/ready");

const COLLECTION: DashboardSpec = {
  uid: "vpai-collection",
  title: "Collection",
  panels: [
    { title: "Targets", kind: "stat", datasource: "metrics", queries: [{ expr: "count(up)" }] },
    {
      title: "Targets down",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: "count(up == 0) or vector(0)" }],
      thresholds: [1, 2],
    },
    {
      title: "Parts of Alloy that are not healthy",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: 'sum(alloy_component_controller_running_components{health_type!="healthy"}) or vector(0)' }],
      thresholds: [1, 2],
    },
    {
      title: "Memory",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: "alloy_resources_process_resident_memory_bytes" }],
      unit: "bytes",
    },
    { title: "Up", kind: "timeseries", datasource: "metrics", queries: [{ expr: "up", legend: "{{job}}" }] },
    {
      title: "Time a scrape takes",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "scrape_duration_seconds", legend: "{{job}}" }],
      unit: "s",
    },
    {
      title: "Samples sent to VictoriaMetrics",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: "sum(rate(prometheus_remote_storage_samples_total[5m]))", legend: "sent" },
        { expr: "sum(rate(prometheus_remote_storage_samples_failed_total[5m]))", legend: "failed" },
      ],
    },
    {
      title: "Log lines",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: "sum(rate(loki_source_docker_target_entries_total[5m]))", legend: "read" },
        { expr: "sum(rate(loki_write_sent_entries_total[5m]))", legend: "sent to Loki" },
        { expr: "sum(rate(loki_write_dropped_entries_total[5m]))", legend: "dropped" },
      ],
    },
  ],
};

/** A file for each bearer token that a scrape needs. */
function tokenFiles({ facts }: ServiceContext): FileSpec[] {
  const names = new Set(facts.scrapes.flatMap(({ bearer }) => bearer ?? []));
  return [...names].map((name) => ({
    // Read at every scrape.
    path: `${SECRETS}/${name}`,
    live: true as const,
    secrets: [name],
    render: (values) => values[name] ?? "",
  }));
}

/** Collects metrics of all services and logs of all containers. */
export const alloy: ServiceDefinition = {
  name: "alloy",
  image: images.alloy.pin,
  networks: ["backend", "monitoring", "socket"],
  port: 12345,
  // The image has this account and starts as root; it needs nothing of root here.
  user: { uid: 473, gid: 473 },
  command: [
    "run",
    "--server.http.listen-addr=0.0.0.0:12345",
    "--storage.path=/var/lib/alloy/data",
    "--disable-reporting",
    `${CONFIG_DIR}/config.alloy`,
  ],
  // What it has read of each log, and samples that are not sent yet.
  data: [{ path: "", target: "/var/lib/alloy/data" }],
  configDir: CONFIG_DIR,
  files: (context) => [
    {
      path: "config.alloy",
      live: true,
      text: ({ facts }) => renderAlloyConfig(facts.scrapes, `${CONFIG_DIR}/${SECRETS}`),
    },
    ...tokenFiles(context),
  ],
  reload: {
    validate: [
      "docker",
      "run",
      "--rm",
      "--network",
      "none",
      "--read-only",
      "--tmpfs",
      "/tmp",
      "--volume",
      `{dir}:${CONFIG_DIR}:ro`,
      "--entrypoint",
      "/bin/alloy",
      "{image}",
      "validate",
      `${CONFIG_DIR}/config.alloy`,
    ],
    argv: ask("POST /-/reload"),
  },
  needs: ["socket-proxy", "loki", "victoriametrics"],
  health: {
    test: ["CMD", ...ASK_READY],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 30,
    deadlineSeconds: 120,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=32m" },
  pids: 256,
  memory: { requestMb: 320, limitMb: { standard: 512, small: 384 } },
  cpus: 0.5,
  stopGraceSeconds: 30,
  metrics: {},
  alerts: [
    {
      name: "TargetDown",
      expr: "up == 0",
      forMinutes: 5,
      severity: "critical",
      summary: "{{ $labels.job }} does not tell its metrics. Is the container healthy, and reachable from Alloy?",
    },
    {
      name: "CollectionStopped",
      expr: 'absent_over_time(up{job="alloy"}[5m])',
      forMinutes: 5,
      severity: "critical",
      summary: "No metrics arrive at all, so no other alert can be trusted. Look at Alloy and VictoriaMetrics.",
    },
    {
      name: "AlloyUnhealthy",
      expr: 'sum by (health_type) (alloy_component_controller_running_components{health_type!="healthy"}) > 0',
      forMinutes: 10,
      severity: "warning",
      summary: "Parts of Alloy are {{ $labels.health_type }}: metrics or logs are missing. Look at its log.",
    },
    {
      name: "LogsDropped",
      expr: "sum by (reason) (increase(loki_write_dropped_entries_total[15m])) > 0",
      forMinutes: 5,
      severity: "warning",
      summary: "Log lines are lost on their way to Loki ({{ $labels.reason }}). Look at Loki's log and limits.",
    },
    {
      name: "SamplesDropped",
      expr: "sum(increase(prometheus_remote_storage_samples_failed_total[15m])) > 0",
      forMinutes: 5,
      severity: "warning",
      summary: "VictoriaMetrics refuses samples, and Alloy drops them. Look at the log of both.",
    },
  ],
  dashboards: [COLLECTION],
  backup: { none: "it keeps only how far it has read: without that it reads the logs of all containers once more" },
  smoke: [{ name: "Alloy is ready", exec: ASK_READY, prints: /^HTTP\/1\.\d 200 / }],
  upgrade:
    "Minor versions may rename settings: the release notes list them, and Alloy refuses a setting it does not know.",
};
