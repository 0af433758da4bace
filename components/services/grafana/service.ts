import { images } from "../../images.ts";
import { renderDashboard } from "./dashboard.ts";
import { renderDashboardProvider, renderDatasources, renderNothing } from "./provisioning.ts";
import type { FileSpec, ServiceContext, ServiceDefinition, Size } from "../../service/model/definition.ts";

const LIMIT_MB: Record<Size, number> = { standard: 512, small: 384 };
const CONFIG_DIR = "/etc/vpai";
const DATA = "/var/lib/grafana";
const HOST_DATA = "/opt/vpai/data/grafana";

/** Sources that the image brings and nobody here uses: each is a process of its own, of some 20 MB. */
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

function environment({ domain, size }: ServiceContext): Record<string, string> {
  return {
    GF_PATHS_PROVISIONING: `${CONFIG_DIR}/provisioning`,
    // A host name of its own and no path: a path that somebody strips is a redirect without end (P23).
    GF_SERVER_ROOT_URL: `https://grafana.${domain}/`,
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

function files({ facts }: ServiceContext): FileSpec[] {
  return [
    { path: "provisioning/datasources/vpai.yaml", text: renderDatasources },
    { path: "provisioning/dashboards/vpai.yaml", text: () => renderDashboardProvider(`${CONFIG_DIR}/dashboards`) },
    { path: "provisioning/plugins/none.yaml", text: renderNothing },
    { path: "provisioning/alerting/none.yaml", text: renderNothing },
    ...facts.dashboards.map((spec): FileSpec => ({
      // Grafana looks for changes by itself: see renderDashboardProvider.
      path: `dashboards/${spec.uid}.json`,
      live: true,
      text: () => renderDashboard(spec),
    })),
    ...["admin-password", "secret-key"].map((name) => ({
      path: `secrets/${name}`,
      secrets: [`grafana-${name}`],
      render: (values: Readonly<Record<string, string>>) => values[`grafana-${name}`] ?? "",
    })),
  ];
}

/** Shows what VictoriaMetrics and Loki keep. Dashboards and data sources come from files; people only look. */
export const grafana: ServiceDefinition = {
  name: "grafana",
  image: images.grafana.pin,
  networks: ["frontend", "monitoring"],
  port: 3000,
  user: { uid: 472, gid: 472 },
  data: [{ path: "", target: DATA }],
  configDir: CONFIG_DIR,
  files,
  environment,
  secrets: {
    // Read when the database is made, and never again: a new one would lock the operator out.
    "grafana-admin-password": { permanent: true },
    // What Grafana stores of other people's secrets is encrypted with it. Its default is public knowledge.
    "grafana-secret-key": { permanent: true },
  },
  needs: ["victoriametrics", "loki"],
  health: {
    test: ["CMD", "wget", "-q", "-O", "/dev/null", "http://127.0.0.1:3000/api/health"],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 90,
    deadlineSeconds: 180,
  },
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=64m" },
  pids: 256,
  memory: { requestMb: 336, limitMb: LIMIT_MB },
  cpus: 0.5,
  stopGraceSeconds: 30,
  route: { label: "grafana", audience: "vpn", readiness: "/api/health", deny: ["/metrics"] },
  metrics: {},
  alerts: [
    {
      name: "GrafanaFailing",
      expr: 'sum(rate(grafana_http_request_duration_seconds_count{status_code=~"5.."}[5m])) > 0.1',
      forMinutes: 10,
      severity: "warning",
      summary: "Grafana answers requests with errors. Look at its log, and at VictoriaMetrics and Loki.",
    },
  ],
  dashboards: [],
  backup: {
    what: "accounts, stars and whatever was made by hand in Grafana; its own dashboards come with the program",
    items: [
      {
        name: "data",
        // While nobody writes, a copy of the database and its journal is one that SQLite can open.
        dump: [
          "sh",
          "-ec",
          `docker pause grafana >&2; trap 'docker unpause grafana >&2' EXIT; tar -C ${HOST_DATA} --exclude=./plugins --exclude=./png -cf - .`,
        ],
        restore: [
          "sh",
          "-ec",
          `docker stop grafana >&2; rm -rf ${HOST_DATA}/grafana.db*; tar -C ${HOST_DATA} -xpf -; docker start grafana >&2`,
        ],
        prove: {
          argv: ["docker", "exec", "grafana", "wget", "-q", "-O", "-", "http://127.0.0.1:3000/api/health"],
          expect: /"database":\s*"ok"/,
        },
      },
    ],
  },
  smoke: [
    {
      name: "Grafana answers and its database is fine",
      url: ({ domain }) => `https://grafana.${domain}/api/health`,
      status: 200,
      body: /"database":\s*"ok"/,
    },
  ],
  upgrade:
    "A new version migrates the database, and the old one cannot read it afterwards: save it first. Look whether the " +
    "image still brings the data sources prometheus and loki, and which others it brings (GF_PLUGINS_DISABLE_PLUGINS).",
};
