import { defineService, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { renderLokiConfig } from "./config.ts";
import { alerts, dashboards } from "./monitoring.ts";

/**
 * What Go may use. The program itself has 157 MB, which count as soon as they are read, and each health check is a second
 * process of it: they get the rest of the limit.
 */
const HEAP_MB = 160;

/** Where every container's log goes. */
export const loki = defineService({
  name: "loki",
  image: images.loki,
  networks: ["monitoring"],
  port: 3100,
  user: { uid: 10001, gid: 10001 },
  command: ["-config.file=/etc/vpai/loki.yaml", "-target=all"],
  data: [{ path: "", target: "/loki" }],
  files: [
    {
      path: "loki.yaml",
      content: ({ settings }) => renderLokiConfig({ logsDays: settings.retention.logsDays, heapMb: HEAP_MB }),
    },
  ],
  environment: () => ({ GOMEMLIMIT: `${HEAP_MB}MiB` }),
  // The image holds this program alone, neither shell nor wget (P16). It asks its own /ready.
  health: {
    test: ["CMD", "/usr/bin/loki", "-health"],
    intervalSeconds: 15,
    timeoutSeconds: 5,
    retries: 3,
    startPeriodSeconds: 60,
    deadlineSeconds: 150,
  },
  pids: 128,
  memory: { requestMb: 256, limitMb: { standard: 320, small: 288 } },
  cpus: 0.5,
  // It writes what is in memory to disk when it ends.
  stopGraceSeconds: 45,
  metrics: {},
  alerts,
  dashboards,
  backup: notApplicable("logs are deleted after some days anyway, and new ones arrive at once"),
  smoke: [{ name: "Loki is ready", exec: ["/usr/bin/loki", "-health"], prints: /Loki is healthy/ }],
  upgrade:
    "Read the upgrade notes for removed settings: Loki refuses to start with one it does not know. A new schema " +
    "version is added below the present one in schema_config with a date in the future, never put in its place.",
});
