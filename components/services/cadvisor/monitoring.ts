import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

export const LABEL = "vpai.service";

/** The containers of this stack, by the label that cAdvisor makes of Docker's. */
const OURS = `container_label_${LABEL.replace(".", "_")}!=""`;

/** Of the memory that the kernel cannot take back at once, in percent of the limit. */
const MEMORY =
  `100 * max by (name) (container_memory_working_set_bytes{${OURS}}) / ` +
  `(max by (name) (container_spec_memory_limit_bytes{${OURS}}) > 0)`;

/** There is no counter of restarts (P31); Docker reports when a container was last started. */
const restarts = (window: string): string =>
  `sum by (name) (changes(container_start_time_seconds{${OURS}}[${window}]))`;

const rate = (metric: string): string => `sum by (name) (rate(container_${metric}{${OURS}}[5m]))`;

const CONTAINERS: DashboardSpec = {
  uid: "vpai-containers",
  title: "Containers",
  panels: [
    stat("Containers", `count(container_last_seen{${OURS}})`),
    stat("Not healthy", `count(container_health_state{${OURS}} == 0) or vector(0)`, { thresholds: [1, 2] }),
    stat("Restarts in the last hour", `sum(${restarts("1h")})`, { thresholds: [1, 4] }),
    stat("Memory of all", `sum(container_memory_working_set_bytes{${OURS}})`, { unit: "bytes" }),
    timeseries("CPU, of one core", "percent", { expr: `100 * ${rate("cpu_usage_seconds_total")}`, legend: "{{name}}" }),
    timeseries("CPU, time held back by the limit", "percent", {
      expr: `100 * ${rate("cpu_cfs_throttled_seconds_total")}`,
      legend: "{{name}}",
    }),
    timeseries("Memory", "bytes", {
      expr: `max by (name) (container_memory_working_set_bytes{${OURS}})`,
      legend: "{{name}}",
    }),
    timeseries("Memory, of the limit", "percent", { expr: MEMORY, legend: "{{name}}" }, { thresholds: [75, 90] }),
    timeseries("Received", "Bps", { expr: rate("network_receive_bytes_total"), legend: "{{name}}" }),
    timeseries("Sent", "Bps", { expr: rate("network_transmit_bytes_total"), legend: "{{name}}" }),
    timeseries(
      "Written to disk",
      "Bps",
      { expr: rate("fs_writes_bytes_total"), legend: "{{name}}" },
      { mayBeEmpty: "the kernel counts a container's disk only where its control groups do" },
    ),
    timeseries("Restarts in 15 minutes", undefined, { expr: restarts("15m"), legend: "{{name}}" }),
  ],
};

export const alerts: readonly AlertSpec[] = [
  alert(
    "critical",
    "ContainersUnseen",
    `absent(container_last_seen{${OURS}})`,
    5,
    "cAdvisor reports no container, so no alert on containers can fire. Look at its log and mounts (P32).",
  ),
  alert(
    "critical",
    "ContainerRestarting",
    `${restarts("15m")} > 3`,
    0,
    "{{ $labels.name }} was started more than 3 times in 15 minutes. Look at its log.",
  ),
  // One that ends at once is hardly ever seen running, so its restarts cannot be counted. Silent after half an hour.
  alert(
    "critical",
    "ContainerGone",
    `time() - max by (name) (max_over_time(container_last_seen{${OURS}}[30m])) > 180`,
    0,
    "{{ $labels.name }} has not been running for 3 minutes. Unless it was removed, look at its log.",
  ),
  // 1 is healthy, 0 unhealthy or starting, -1 without a check.
  alert(
    "critical",
    "ContainerUnhealthy",
    `max by (name) (container_health_state{${OURS}}) == 0`,
    10,
    "{{ $labels.name }} runs and does not do its job: its health check fails. Look at its log.",
  ),
  alert(
    "warning",
    "ContainerMemory",
    `${MEMORY} > 90`,
    10,
    "{{ $labels.name }} uses more than 90 % of its memory; at the limit it is killed. Give it more, or find out why.",
  ),
  // The limit holds the pages of the program too: at the limit they are dropped and read again, and usage stays below.
  alert(
    "warning",
    "ContainerRereadsProgram",
    `sum by (name) (rate(container_memory_failures_total{failure_type="pgmajfault",scope="container",${OURS}}[5m])) > 20`,
    10,
    "{{ $labels.name }} keeps reading its own program from disk: its memory limit is too small. Raise it.",
  ),
];

export const dashboards: readonly DashboardSpec[] = [CONTAINERS];
