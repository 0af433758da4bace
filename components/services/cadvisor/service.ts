import { alert, defineService, httpHealth, notApplicable, stat, timeseries } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";

const PORT = 8080;
const LIMIT_MB = 128;
const LABEL = "vpai.service";

/** The containers of this stack, by the label that cAdvisor makes of Docker's. */
const OURS = `container_label_${LABEL.replace(".", "_")}!=""`;

/** Of the memory that the kernel cannot take back at once, in percent of the limit. */
const MEMORY =
  `100 * max by (name) (container_memory_working_set_bytes{${OURS}}) / ` +
  `(max by (name) (container_spec_memory_limit_bytes{${OURS}}) > 0)`;

/** There is no counter of restarts (P31); Docker tells when a container was started last. */
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

/** What each container takes: processors, memory, network, disk; and whether it keeps running. */
export const cadvisor = defineService({
  name: "cadvisor",
  image: images.cadvisor,
  networks: ["monitoring"],
  port: PORT,
  user: {
    uid: 0,
    gid: 0,
    rootReason: "Docker's socket and its directories belong to root; all rights of root are dropped",
  },
  command: [
    "--docker_only=true",
    // A label makes a series of its own of each value: this one alone is needed.
    "--store_container_labels=false",
    `--whitelisted_container_labels=${LABEL}`,
    // `disk` would walk through every container's files, which are of images, and needs rights to read them.
    "--enable_metrics=cpu,memory,network,diskIO",
    "--housekeeping_interval=30s",
    "--allow_dynamic_housekeeping=false",
    "--storage_duration=1m",
  ],
  hostMounts: [
    { source: "/", target: "/rootfs", why: "processes of containers, for their traffic, and Docker's files" },
    // A proxy will not do: it tells which control group is which container through the socket alone (P32).
    { source: "/var/run/docker.sock", target: "/var/run/docker.sock", why: "names and labels of containers" },
    { source: "/sys", target: "/sys", why: "control groups of all containers" },
    { source: "/var/lib/docker", target: "/var/lib/docker", why: "layers of containers" },
  ],
  // In a namespace of its own it sees one container: itself (P32).
  cgroup: "host",
  environment: () => ({ GOMEMLIMIT: `${Math.floor(LIMIT_MB * 0.85)}MiB` }),
  health: httpHealth(PORT, "/healthz", { startPeriodSeconds: 30, deadlineSeconds: 90 }),
  pids: 128,
  memory: { requestMb: 40, limitMb: LIMIT_MB },
  cpus: 0.5,
  stopGraceSeconds: 10,
  metrics: {},
  alerts: [
    alert(
      "critical",
      "ContainersUnseen",
      `absent(container_last_seen{${OURS}})`,
      5,
      "cAdvisor tells of no container, so no alert on containers can fire. Look at its log and mounts (P32).",
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
  ],
  dashboards: [CONTAINERS],
  backup: notApplicable("it keeps nothing"),
  smoke: [
    {
      name: "cAdvisor tells containers apart",
      exec: ["sh", "-c", `wget -q -O - http://127.0.0.1:${PORT}/metrics | grep -c '^container_last_seen.*name="..*"'`],
      prints: /^[1-9]\d*$/,
    },
  ],
  upgrade:
    "Older versions (0.55 among them) tell the container's creation as container_start_time_seconds: restarts go unseen. " +
    "After an update, look whether the dashboard Containers still lists all of them by name.",
});
