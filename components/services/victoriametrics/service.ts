import { alert, defineService, httpHealth, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";

const PORT = 8428;

/** Where metrics go: what Alloy collects, and what Grafana's panels and alerts ask. */
export const victoriametrics = defineService({
  name: "victoriametrics",
  image: images.victoriametrics,
  networks: ["monitoring"],
  port: PORT,
  // An unprivileged account: the image starts as root and needs nothing of root. It has to own its directory (P15).
  user: { uid: 65534, gid: 65534 },
  command: ({ settings: { retention } }) => [
    "-storageDataPath=/storage",
    `-retentionPeriod=${retention.metricsDays}d`,
    `-httpListenAddr=:${PORT}`,
    // Refuses samples while less is free, so that metrics never fill the disk that databases write to.
    "-storage.minFreeDiskSpaceBytes=1GB",
  ],
  data: [{ path: "", target: "/storage" }],
  health: httpHealth(PORT, "/health", { startPeriodSeconds: 30, deadlineSeconds: 90 }),
  pids: 128,
  memory: { requestMb: 112, limitMb: { standard: 320, small: 192 } },
  cpus: 0.5,
  // It writes what is in memory to disk when it ends.
  metrics: {},
  alerts: [
    alert(
      "critical",
      "MetricsStoreReadOnly",
      "vm_storage_is_read_only == 1",
      1,
      "VictoriaMetrics takes no samples, because less than 1 GB of the disk is free. Make room on the server.",
    ),
    alert(
      "warning",
      "MetricsIgnored",
      "sum by (reason) (increase(vm_rows_ignored_total[15m])) > 0",
      15,
      "VictoriaMetrics ignores samples ({{ $labels.reason }}). Look at its log and at the clock of the server.",
    ),
    // A series in use takes about 1 KB: this many are a third of the smaller limit of memory.
    alert(
      "warning",
      "MetricsTooMany",
      'vm_cache_entries{type="storage/hour_metric_ids"} > 60000',
      30,
      "More than 60000 series in an hour. Look for a label that changes all the time, before memory runs out.",
    ),
  ],
  backup: notApplicable("history that is deleted after some weeks anyway, and that nothing but graphs is made of"),
  smoke: [
    {
      name: "VictoriaMetrics holds what was scraped",
      exec: ["wget", "-q", "-O", "-", `http://127.0.0.1:${PORT}/api/v1/query?query=count(up)`],
      prints: /"value":\[[\d.]+,"[1-9]/,
    },
  ],
  upgrade:
    "Versions read their predecessors' files. Going back over one whose notes say that the format changed needs an empty " +
    "/opt/vpai/data/victoriametrics.",
});
