import { images } from "../../images.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";

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
    {
      title: "Containers",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: `count(container_last_seen{${OURS}})` }],
    },
    {
      title: "Not healthy",
      kind: "stat",
      datasource: "metrics",
      thresholds: [1, 2],
      queries: [{ expr: `count(container_health_state{${OURS}} == 0) or vector(0)` }],
    },
    {
      title: "Restarts in the last hour",
      kind: "stat",
      datasource: "metrics",
      thresholds: [1, 4],
      queries: [{ expr: `sum(${restarts("1h")})` }],
    },
    {
      title: "Memory of all",
      kind: "stat",
      datasource: "metrics",
      unit: "bytes",
      queries: [{ expr: `sum(container_memory_working_set_bytes{${OURS}})` }],
    },
    {
      title: "CPU, of one core",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      queries: [{ expr: `100 * ${rate("cpu_usage_seconds_total")}`, legend: "{{name}}" }],
    },
    {
      title: "CPU, time held back by the limit",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      queries: [{ expr: `100 * ${rate("cpu_cfs_throttled_seconds_total")}`, legend: "{{name}}" }],
    },
    {
      title: "Memory",
      kind: "timeseries",
      datasource: "metrics",
      unit: "bytes",
      queries: [{ expr: `max by (name) (container_memory_working_set_bytes{${OURS}})`, legend: "{{name}}" }],
    },
    {
      title: "Memory, of the limit",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      thresholds: [75, 90],
      queries: [{ expr: MEMORY, legend: "{{name}}" }],
    },
    {
      title: "Received",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [{ expr: rate("network_receive_bytes_total"), legend: "{{name}}" }],
    },
    {
      title: "Sent",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [{ expr: rate("network_transmit_bytes_total"), legend: "{{name}}" }],
    },
    {
      title: "Written to disk",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [{ expr: rate("fs_writes_bytes_total"), legend: "{{name}}" }],
      mayBeEmpty: "the kernel counts a container's disk only where its control groups do",
    },
    {
      title: "Restarts in 15 minutes",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: restarts("15m"), legend: "{{name}}" }],
    },
  ],
};

/** What each container takes: processors, memory, network, disk; and whether it keeps running. */
export const cadvisor: ServiceDefinition = {
  name: "cadvisor",
  image: images.cadvisor.pin,
  networks: ["monitoring"],
  port: PORT,
  user: {
    uid: 0,
    gid: 0,
    rootBecause: "Docker's socket and its directories belong to root; all rights of root are dropped",
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
  health: {
    test: ["CMD", "wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${PORT}/healthz`],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 30,
    deadlineSeconds: 90,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
  pids: 128,
  memory: { requestMb: 48, limitMb: LIMIT_MB },
  cpus: 0.5,
  stopGraceSeconds: 10,
  metrics: {},
  alerts: [
    {
      name: "ContainersUnseen",
      expr: `absent(container_last_seen{${OURS}})`,
      forMinutes: 5,
      severity: "critical",
      summary: "cAdvisor tells of no container, so no alert on containers can fire. Look at its log and mounts (P32).",
    },
    {
      name: "ContainerRestarting",
      expr: `${restarts("15m")} > 3`,
      forMinutes: 0,
      severity: "critical",
      summary: "{{ $labels.name }} was started more than 3 times in 15 minutes. Look at its log.",
    },
    {
      name: "ContainerGone",
      // One that ends at once is hardly ever seen running, so its restarts cannot be counted. Silent after half an hour.
      expr: `time() - max by (name) (max_over_time(container_last_seen{${OURS}}[30m])) > 180`,
      forMinutes: 0,
      severity: "critical",
      summary: "{{ $labels.name }} has not been running for 3 minutes. Unless it was removed, look at its log.",
    },
    {
      name: "ContainerUnhealthy",
      // 1 is healthy, 0 unhealthy or starting, -1 without a check.
      expr: `max by (name) (container_health_state{${OURS}}) == 0`,
      forMinutes: 10,
      severity: "critical",
      summary: "{{ $labels.name }} runs and does not do its job: its health check fails. Look at its log.",
    },
    {
      name: "ContainerMemory",
      expr: `${MEMORY} > 90`,
      forMinutes: 10,
      severity: "warning",
      summary:
        "{{ $labels.name }} uses more than 90 % of its memory; at the limit it is killed. Give it more, or find out why.",
    },
  ],
  dashboards: [CONTAINERS],
  backup: { none: "it keeps nothing" },
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
};
