import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

const CPU = '100 * (1 - avg(rate(node_cpu_seconds_total{mode="idle"}[5m])))';

const MEMORY = "100 * (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)";

const DISK = "100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)";

const HOST: DashboardSpec = {
  uid: "vpai-host",
  title: "Host",
  panels: [
    stat("CPU", CPU, { unit: "percent", thresholds: [60, 80] }),
    stat("Memory", MEMORY, { unit: "percent", thresholds: [70, 85] }),
    stat("Fullest disk", `max(${DISK})`, { unit: "percent", thresholds: [70, 90] }),
    stat("Running for", "time() - node_boot_time_seconds", { unit: "s" }),
    timeseries("CPU by use", "percent", {
      expr: '100 * avg by (mode) (rate(node_cpu_seconds_total{mode!="idle"}[5m]))',
      legend: "{{mode}}",
    }),
    timeseries("Load", undefined, [
      { expr: "node_load1", legend: "1 minute" },
      { expr: "node_load5", legend: "5 minutes" },
      { expr: "node_load15", legend: "15 minutes" },
      { expr: 'count(node_cpu_seconds_total{mode="idle"})', legend: "cores" },
    ]),
    timeseries("Memory by use", "bytes", [
      { expr: "node_memory_MemTotal_bytes", legend: "total" },
      { expr: "node_memory_MemTotal_bytes - node_memory_MemAvailable_bytes", legend: "used" },
      { expr: "node_memory_Cached_bytes", legend: "page cache" },
      { expr: "node_memory_SwapTotal_bytes - node_memory_SwapFree_bytes", legend: "swap used" },
    ]),
    timeseries(
      "Disks, used",
      "percent",
      { expr: `max by (mountpoint) (${DISK})`, legend: "{{mountpoint}}" },
      { thresholds: [70, 90] },
    ),
    timeseries("Disks, read and written", "Bps", [
      { expr: "sum by (device) (rate(node_disk_read_bytes_total[5m]))", legend: "{{device}} read" },
      { expr: "sum by (device) (rate(node_disk_written_bytes_total[5m]))", legend: "{{device}} written" },
    ]),
    timeseries("Disks, busy", "percent", {
      expr: "100 * sum by (device) (rate(node_disk_io_time_seconds_total[5m]))",
      legend: "{{device}}",
    }),
    timeseries(
      "Age of the newest backups",
      "s",
      { expr: "time() - vpai_backup_last_success_timestamp_seconds", legend: "{{item}}" },
      { mayBeEmpty: "without vpai:backup nothing is saved" },
    ),
    timeseries("OOM kills", undefined, {
      expr: "increase(node_vmstat_oom_kill[15m])",
      legend: "processes in 15 minutes",
    }),
  ],
};

export const alerts: readonly AlertSpec[] = [
  alert(
    "warning",
    "CpuHigh",
    `${CPU} > 80`,
    5,
    "The processors have been more than 80 % busy for 5 minutes. The dashboard Containers shows which container.",
  ),
  alert(
    "warning",
    "MemoryHigh",
    `${MEMORY} > 85`,
    5,
    "More than 85 % of the server's memory is in use. The dashboard Containers shows which container.",
  ),
  alert(
    "critical",
    "DiskFull",
    `${DISK} > 90`,
    5,
    "{{ $labels.mountpoint }} is more than 90 % full: databases stop when nothing is left. Make room.",
  ),
  alert(
    "warning",
    "DiskFilling",
    `predict_linear(node_filesystem_avail_bytes[6h], 86400) < 0 and ${DISK} > 60`,
    60,
    "{{ $labels.mountpoint }} will be full within a day if it goes on filling as in the last 6 hours.",
  ),
  alert(
    "critical",
    "InodesUsedUp",
    "100 * (1 - node_filesystem_files_free / (node_filesystem_files > 0)) > 90",
    5,
    "{{ $labels.mountpoint }} has hardly any inodes left: no file can be made there, however much is free.",
  ),
  alert(
    "critical",
    "BackupOverdue",
    "time() - vpai_backup_last_success_timestamp_seconds > 93600",
    0,
    "{{ $labels.item }} has not been saved for more than 26 hours. `vpai backups` says why; `vpai backup` tries again.",
  ),
  alert(
    "warning",
    "BackupFailed",
    "vpai_backup_failed > 0",
    0,
    "The last backup of {{ $labels.item }} failed. `vpai backups` says why; `vpai backup` tries again.",
  ),
  alert(
    "warning",
    "KilledForMemory",
    "increase(node_vmstat_oom_kill[15m]) > 0",
    0,
    "The kernel has killed a process that was out of memory. `dmesg` on the server names it.",
  ),
];

export const dashboards: readonly DashboardSpec[] = [HOST];
