import { images } from "../../images.ts";
import { exporter } from "../../service/presets/exporter.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";

const PORT = 9100;
const LIMIT_MB = 32;

/** The rest is of machines with hardware, or (uname, conntrack, netstat) of the container itself. */
const COLLECTORS = ["cpu", "diskstats", "filefd", "filesystem", "loadavg", "meminfo", "os", "stat", "vmstat"];

/** Kernel interfaces. Overlay is not among them: containers' mounts are left out by path, and a root may be one. */
const NO_FILESYSTEMS =
  "autofs|binfmt_misc|bpf|cgroup2?|configfs|debugfs|devpts|devtmpfs|efivarfs|erofs|fuse.*|fusectl|hugetlbfs|iso9660|" +
  "mqueue|nsfs|proc|pstore|ramfs|rpc_pipefs|securityfs|squashfs|sysfs|tmpfs|tracefs";
/** Files of containers and mounts of theirs; the disk on which Docker keeps them is told. */
const NO_MOUNTS = "^/(dev|proc|run|sys)(/.+)?$|^/(etc|var/lib/containerd|var/lib/docker)/.+$|^/boot/efi$";

const CPU = '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))';
const MEMORY = "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)";
const DISK = "100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)";

const HOST: DashboardSpec = {
  uid: "vpai-host",
  title: "Host",
  panels: [
    {
      title: "CPU",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: CPU }],
      unit: "percent",
      thresholds: [60, 80],
    },
    {
      title: "Memory",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: MEMORY }],
      unit: "percent",
      thresholds: [70, 85],
    },
    {
      title: "Fullest disk",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: `max(${DISK})` }],
      unit: "percent",
      thresholds: [70, 90],
    },
    {
      title: "Running for",
      kind: "stat",
      datasource: "metrics",
      unit: "s",
      queries: [{ expr: "time() - node_boot_time_seconds" }],
    },
    {
      title: "CPU by use",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      queries: [{ expr: '100 * avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))', legend: "{{mode}}" }],
    },
    {
      title: "Load",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: "node_load1", legend: "1 minute" },
        { expr: "node_load5", legend: "5 minutes" },
        { expr: "node_load15", legend: "15 minutes" },
        { expr: 'count(node_cpu_seconds_total{mode="idle"})', legend: "cores" },
      ],
    },
    {
      title: "Memory by use",
      kind: "timeseries",
      datasource: "metrics",
      unit: "bytes",
      queries: [
        { expr: "node_memory_MemTotal_bytes", legend: "total" },
        { expr: "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", legend: "used" },
        { expr: "node_memory_Cached_bytes", legend: "page cache" },
        { expr: "node_memory_SwapTotal_bytes - node_memory_SwapFree_bytes", legend: "swap used" },
      ],
    },
    {
      title: "Disks, used",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      thresholds: [70, 90],
      queries: [{ expr: `max by (mountpoint) (${DISK})`, legend: "{{mountpoint}}" }],
    },
    {
      title: "Disks, read and written",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [
        { expr: "sum by (device) (rate(node_disk_read_bytes_total[5m]))", legend: "{{device}} read" },
        { expr: "sum by (device) (rate(node_disk_written_bytes_total[5m]))", legend: "{{device}} written" },
      ],
    },
    {
      title: "Disks, busy",
      kind: "timeseries",
      datasource: "metrics",
      unit: "percent",
      queries: [{ expr: "100 * sum by (device) (rate(node_disk_io_time_seconds_total[5m]))", legend: "{{device}}" }],
    },
    {
      title: "Killed for want of memory",
      kind: "timeseries",
      datasource: "metrics",
      queries: [{ expr: "increase(node_vmstat_oom_kill[15m])", legend: "processes in 15 minutes" }],
    },
  ],
};

/** What the kernel tells of the server: processors, memory, disks. */
export const nodeExporter: ServiceDefinition = {
  name: "node-exporter",
  image: images["node-exporter"].pin,
  // Its own network, not the host's: the collector of network devices would tell the container's alone, so it is off.
  networks: ["monitoring"],
  ...exporter({ port: PORT, requestMb: 24, limitMb: LIMIT_MB }),
  user: { uid: 65534, gid: 65534 },
  command: [
    "--path.procfs=/host/proc",
    "--path.sysfs=/host/sys",
    "--path.rootfs=/host/root",
    "--path.udev.data=/host/root/run/udev/data",
    "--collector.disable-defaults",
    ...COLLECTORS.map((name) => `--collector.${name}`),
    `--collector.filesystem.fs-types-exclude=^(${NO_FILESYSTEMS})$`,
    `--collector.filesystem.mount-points-exclude=${NO_MOUNTS}`,
    `--web.listen-address=:${PORT}`,
  ],
  hostMounts: [
    { source: "/proc", target: "/host/proc", why: "processors, memory, load and disks of the server" },
    { source: "/sys", target: "/host/sys", why: "the disks' names" },
    // Not a slave of the host's mounts: a disk mounted later is told after the container is made anew.
    { source: "/", target: "/host/root", why: "how full each file system is" },
  ],
  alerts: [
    {
      name: "CpuHigh",
      expr: `${CPU} > 80`,
      forMinutes: 5,
      severity: "warning",
      summary: "The processors have been more than 80 % busy for 5 minutes. The dashboard Containers tells by whom.",
    },
    {
      name: "MemoryHigh",
      expr: `${MEMORY} > 85`,
      forMinutes: 5,
      severity: "warning",
      summary: "More than 85 % of the server's memory is in use. The dashboard Containers tells by whom.",
    },
    {
      name: "DiskFull",
      expr: `${DISK} > 90`,
      forMinutes: 5,
      severity: "critical",
      summary: "{{ $labels.mountpoint }} is more than 90 % full: databases stop when nothing is left. Make room.",
    },
    {
      name: "DiskFilling",
      expr: `predict_linear(node_filesystem_avail_bytes[6h], 86400) < 0 and ${DISK} > 60`,
      forMinutes: 60,
      severity: "warning",
      summary: "{{ $labels.mountpoint }} will be full within a day if it goes on filling as in the last 6 hours.",
    },
    {
      name: "InodesUsedUp",
      expr: "100 * (1 - node_filesystem_files_free / (node_filesystem_files > 0)) > 90",
      forMinutes: 5,
      severity: "critical",
      summary: "{{ $labels.mountpoint }} has hardly any inodes left: no file can be made there, however much is free.",
    },
    {
      name: "KilledForMemory",
      expr: "increase(node_vmstat_oom_kill[15m]) > 0",
      forMinutes: 0,
      severity: "warning",
      summary: "The kernel has killed a process for want of memory. `dmesg` on the server names it.",
    },
  ],
  dashboards: [HOST],
  backup: { none: "it keeps nothing" },
  smoke: [
    {
      name: "node-exporter tells the server's memory",
      exec: ["sh", "-c", `wget -q -O - http://127.0.0.1:${PORT}/metrics | grep ^node_memory_MemAvailable_bytes`],
      prints: /^node_memory_MemAvailable_bytes [1-9]/,
    },
  ],
  upgrade:
    "The release notes list renamed metrics and flags: the dashboard Host and its alerts use what is in this file.",
};
