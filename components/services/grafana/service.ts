import { CONFIG_DIR, viaEdge, secretFile, defineService, httpHealth } from "../../service/presets/index.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import type { FileSpec } from "../../service/model/definition.ts";
import type { Size } from "../../service/model/facets.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { serviceSecrets } from "../../service/model/secrets.ts";
import { images } from "../../images.ts";
import { renderDashboard } from "./dashboard.ts";
import { renderDashboardProvider, renderDatasources, renderNothing } from "./provisioning.ts";
import { alerts } from "./monitoring.ts";

const LIMIT_MB: Record<Size, number> = { standard: 512, small: 384 };
const DATA = "/var/lib/grafana";
const HOST_DATA = "/opt/vpai/data/grafana";

/** Bundled data sources that this stack does not use: each is a process of some 20 MB. */
const UNUSED = [
  "elasticsearch",
  "grafana-postgresql-datasource",
  "graphite",
  "influxdb",
  "jaeger",
  "mssql",
  "mysql",
  "opentsdb",
  "stackdriver",
  "tempo",
  "zipkin",
];

const secrets = serviceSecrets("grafana", {
  // Read when the database is created, and never again: another one would lock the operator out.
  "admin-password": { permanent: true },
  // Grafana encrypts the secrets that it stores with it. Its default is public knowledge.
  "secret-key": { permanent: true },
});

function environment(context: ServiceContext): Record<string, string> {
  const { size } = context;
  return {
    GF_PATHS_PROVISIONING: `${CONFIG_DIR}/provisioning`,
    // A host name of its own and no path: a path that a proxy strips causes an endless redirect (P23).
    GF_SERVER_ROOT_URL: `${publicOrigin(context, "grafana")}/`,
    GF_SERVER_SERVE_FROM_SUB_PATH: "false",
    // Grafana 13 keeps its compressors' memory, up to some hundred MB (grafana/grafana#123017).
    GF_SERVER_ENABLE_GZIP: "false",
    GF_SECURITY_ADMIN_USER: "admin",
    GF_SECURITY_ADMIN_PASSWORD__FILE: `${CONFIG_DIR}/secrets/admin-password`,
    GF_SECURITY_SECRET_KEY__FILE: `${CONFIG_DIR}/secrets/secret-key`,
    GF_SECURITY_COOKIE_SECURE: "true",
    GF_SECURITY_DISABLE_GRAVATAR: "true",
    GF_USERS_ALLOW_SIGN_UP: "false",
    GF_AUTH_ANONYMOUS_ENABLED: "false",
    GF_METRICS_ENABLED: "true",
    GF_LOG_MODE: "console",
    GF_LOG_LEVEL: "warn",
    GF_ANALYTICS_REPORTING_ENABLED: "false",
    GF_ANALYTICS_CHECK_FOR_UPDATES: "false",
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    GF_NEWS_NEWS_FEED_ENABLED: "false",
    GF_SNAPSHOTS_EXTERNAL_ENABLED: "false",
    // At start it would swap the data sources that the image brings for newer ones, on a file system that it cannot
    // write to, and be left with none of them (grafana/grafana#132528).
    GF_PLUGINS_PREINSTALL_DISABLED: "true",
    GF_PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
    GF_PLUGINS_DISABLE_PLUGINS: UNUSED.join(","),
    GOMEMLIMIT: `${Math.floor(LIMIT_MB[size] * 0.6)}MiB`,
  };
}

function files({ requirements }: ServiceContext): FileSpec[] {
  return [
    { path: "provisioning/datasources/vpai.yaml", content: renderDatasources },
    { path: "provisioning/dashboards/vpai.yaml", content: () => renderDashboardProvider(`${CONFIG_DIR}/dashboards`) },
    { path: "provisioning/plugins/none.yaml", content: renderNothing },
    { path: "provisioning/alerting/none.yaml", content: renderNothing },
    ...requirements.dashboards.map((spec): FileSpec => ({
      // Grafana looks for changes by itself: see renderDashboardProvider.
      path: `dashboards/${spec.uid}.json`,
      live: true,
      content: () => renderDashboard(spec),
    })),
    secretFile("admin-password", secrets.ref["admin-password"]),
    secretFile("secret-key", secrets.ref["secret-key"]),
  ];
}

/** Shows what VictoriaMetrics and Loki keep. Dashboards and data sources come from files; people only look. */
export const grafana = defineService({
  name: "grafana",
  image: images.grafana,
  networks: ["frontend", "monitoring"],
  port: 3000,
  user: { uid: 472, gid: 472 },
  data: [{ path: "", target: DATA }],
  files,
  environment,
  secrets: secrets.specs,
  needs: ["victoriametrics", "loki"],
  health: httpHealth(3000, "/api/health", { startPeriodSeconds: 90, deadlineSeconds: 180 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
  memory: { requestMb: 336, limitMb: LIMIT_MB },
  cpus: 0.5,
  route: { subdomain: "grafana", audience: "vpn", healthPath: "/api/health", denyPaths: ["/metrics"] },
  metrics: {},
  alerts,
  backup: {
    scope: "accounts, stars and everything made by hand in Grafana; its own dashboards come with the program",
    items: [
      {
        name: "data",
        // While the container is paused, a copy of the database and its journal is consistent for SQLite. The copy is of
        // this disk: how long the archive then takes to its place does not matter to Grafana.
        dump: [
          "sh",
          "-ec",
          `copy=$(mktemp -p /var/tmp vpai-grafana.XXXXXXXX); trap 'docker unpause grafana >/dev/null 2>&1 || :; rm -f "$copy"' EXIT; trap 'exit 1' HUP INT TERM; docker pause grafana >&2; tar -C ${HOST_DATA} --exclude=./plugins --exclude=./png -cf "$copy" .; docker unpause grafana >&2; cat "$copy"`,
        ],
        restore: [
          "sh",
          "-ec",
          `docker stop grafana >&2; rm -rf ${HOST_DATA}/grafana.db*; tar -C ${HOST_DATA} -xpf -; docker start grafana >&2`,
        ],
        verify: {
          argv: ["docker", "exec", "grafana", "wget", "-q", "-O", "-", "http://127.0.0.1:3000/api/health"],
          expect: /"database":\s*"ok"/,
        },
      },
    ],
  },
  login: (_, reveal) => ({ user: "admin", password: reveal(secrets.ref["admin-password"]) }),
  smoke: [viaEdge("Grafana answers and its database is fine", "grafana", "/api/health", 200, /"database":\s*"ok"/)],
  upgrade:
    "A new version migrates the database, and the old one cannot read it afterwards: save it first. Look whether the " +
    "image still brings the data sources prometheus and loki, and which others it brings (GF_PLUGINS_DISABLE_PLUGINS).",
});
