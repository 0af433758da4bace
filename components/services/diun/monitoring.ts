import { alert, logs } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

export const alerts: readonly AlertSpec[] = [
  alert(
    "warning",
    "DiunGone",
    'absent_over_time(container_last_seen{name="diun"}[5m])',
    15,
    "DIUN is not running: newer versions are not reported. See `docker logs diun`",
  ),
];

export const dashboards: readonly DashboardSpec[] = [
  {
    uid: "vpai-versions",
    title: "Versions",
    panels: [
      logs("Newer versions", '{container="diun"} |= `"deployed":`', {
        mayBeEmpty: "every deployed version is the newest",
      }),
      logs("Checks", '{container="diun"} |= "Jobs completed"'),
      logs("Registries that could not be asked", '{container="diun"} |~ "Cannot (list tags|get remote manifest)"', {
        mayBeEmpty: "every registry answered",
      }),
    ],
  },
];
