import { databaseSecret } from "../../service/model/secrets.ts";
import { secretFile, defineService, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { canAsk, exporter } from "../../service/presets/exporter.ts";
import { alerts, dashboards, DATABASE } from "./monitoring.ts";

const PORT = 9187;
const LIMIT_MB = 48;

/** PostgreSQL's metrics. Its role may read every statistic and no data. */
export const postgresExporter = defineService({
  name: "postgres-exporter",
  image: images["postgres-exporter"],
  networks: ["backend", "monitoring"],
  ...exporter({
    port: PORT,
    requestMb: 24,
    limitMb: LIMIT_MB,
    environment: {
      // Inside the network `backend`, where PostgreSQL offers no TLS.
      DATA_SOURCE_URI: `postgresql:5432/${DATABASE}?sslmode=disable`,
      DATA_SOURCE_USER: DATABASE,
      DATA_SOURCE_PASS_FILE: "/etc/vpai/secrets/database",
    },
  }),
  user: { uid: 65534, gid: 65534 },
  command: [`--web.listen-address=:${PORT}`],
  files: [secretFile("database", databaseSecret("postgres-exporter"))],
  database: { name: DATABASE, memberOf: ["pg_monitor"] },
  alerts,
  dashboards,
  backup: notApplicable("it keeps nothing; its database is empty"),
  smoke: [canAsk("postgres-exporter", PORT, "PostgreSQL", "pg_up")],
  upgrade:
    "Release notes rename collectors' flags and metrics now and then (0.20 did): this file's dashboard and alerts use them. " +
    "A new major version of PostgreSQL needs an exporter that knows it.",
});
