import {
  secretFile,
  CONFIG_DIR,
  alert,
  defineService,
  healthCheck,
  notApplicable,
  stat,
  timeseries,
} from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { renderAlloyConfig } from "./config.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import type { FileSpec } from "../../service/model/definition.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { Argv } from "../../service/model/operations.ts";

const SECRETS_DIR = `${CONFIG_DIR}/secrets`;

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
    stat("Targets", "count(up)"),
    stat("Targets down", "count(up == 0) or vector(0)", { thresholds: [1, 2] }),
    stat(
      "Parts of Alloy that are not healthy",
      'sum(alloy_component_controller_running_components{health_type!="healthy"}) or vector(0)',
      { thresholds: [1, 2] },
    ),
    stat("Memory", "alloy_resources_process_resident_memory_bytes", { unit: "bytes" }),
    timeseries("Up", undefined, { expr: "up", legend: "{{job}}" }),
    timeseries("Time a scrape takes", "s", { expr: "scrape_duration_seconds", legend: "{{job}}" }),
    timeseries("Samples sent to VictoriaMetrics", undefined, [
      { expr: "sum(rate(prometheus_remote_storage_samples_total[5m]))", legend: "sent" },
      { expr: "sum(rate(prometheus_remote_storage_samples_failed_total[5m]))", legend: "failed" },
    ]),
    timeseries("Log lines", undefined, [
      { expr: "sum(rate(loki_source_docker_target_entries_total[5m]))", legend: "read" },
      { expr: "sum(rate(loki_write_sent_entries_total[5m]))", legend: "sent to Loki" },
      { expr: "sum(rate(loki_write_dropped_entries_total[5m]))", legend: "dropped" },
    ]),
  ],
};

/** A file for each bearer token that a scrape needs. Alloy reads it at every scrape. */
const tokenFiles = ({ requirements }: ServiceContext): FileSpec[] =>
  [...new Set(requirements.scrapes.flatMap(({ bearer }) => bearer ?? []))].map((token) => ({
    ...secretFile(token, token),
    live: true,
  }));

/** Collects metrics of all services and logs of all containers. */
export const alloy = defineService({
  name: "alloy",
  image: images.alloy,
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
  files: (context) => [
    {
      path: "config.alloy",
      live: true,
      content: ({ requirements }) => renderAlloyConfig(requirements.scrapes, SECRETS_DIR),
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
  health: healthCheck(["CMD", ...ASK_READY], { startPeriodSeconds: 30, deadlineSeconds: 120 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=32m" },
  memory: { requestMb: 320, limitMb: { standard: 512, small: 384 } },
  cpus: 0.5,
  metrics: {},
  alerts: [
    alert(
      "critical",
      "TargetDown",
      "up == 0",
      5,
      "{{ $labels.job }} does not tell its metrics. Is the container healthy, and reachable from Alloy?",
    ),
    alert(
      "critical",
      "CollectionStopped",
      'absent_over_time(up{job="alloy"}[5m])',
      5,
      "No metrics arrive at all, so no other alert can be trusted. Look at Alloy and VictoriaMetrics.",
    ),
    alert(
      "warning",
      "AlloyUnhealthy",
      'sum by (health_type) (alloy_component_controller_running_components{health_type!="healthy"}) > 0',
      10,
      "Parts of Alloy are {{ $labels.health_type }}: metrics or logs are missing. Look at its log.",
    ),
    alert(
      "warning",
      "LogsDropped",
      "sum by (reason) (increase(loki_write_dropped_entries_total[15m])) > 0",
      5,
      "Log lines are lost on their way to Loki ({{ $labels.reason }}). Look at Loki's log and limits.",
    ),
    alert(
      "warning",
      "SamplesDropped",
      "sum(increase(prometheus_remote_storage_samples_failed_total[15m])) > 0",
      5,
      "VictoriaMetrics refuses samples, and Alloy drops them. Look at the log of both.",
    ),
  ],
  dashboards: [COLLECTION],
  backup: notApplicable(
    "it keeps only how far it has read: without that it reads the logs of all containers once more",
  ),
  smoke: [{ name: "Alloy is ready", exec: ASK_READY, prints: /^HTTP\/1\.\d 200 / }],
  upgrade:
    "Minor versions may rename settings: the release notes list them, and Alloy refuses a setting it does not know.",
});
