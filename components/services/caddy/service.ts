import { defineService, healthCheck, validateInImage } from "../../service/presets/index.ts";
import { HEALTH_ADDRESS, LOG_DIR, METRICS_PORT, REFUSALS, renderCaddyfile } from "./config.ts";
import { images } from "../../images.ts";
import { vpnSources } from "../../service/model/vpn.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { alerts, dashboards } from "./monitoring.ts";

const HOST_DATA = "/opt/vpai/data/caddy";
/** Where the image has its Caddyfile. */
const CONFIG_DIR = "/etc/caddy";
const DIRECTORIES = { XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "/config" };
const CONFIG = ["--config", `${CONFIG_DIR}/Caddyfile`, "--adapter", "caddyfile"];

/** Reverse proxy: TLS termination, virtual hosts, request buffering while an upstream is replaced. */
export const caddy = defineService({
  name: "caddy",
  image: images.caddy,
  networks: ["backend", "frontend"],
  publish: [
    { port: 80, protocol: "tcp" },
    { port: 443, protocol: "tcp" },
    { port: 443, protocol: "udp" },
  ],
  user: { uid: 65532, gid: 65532 },
  command: ["caddy", "run", ...CONFIG],
  data: [
    { path: "data", target: "/data" },
    { path: "config", target: "/config" },
    { path: "log", target: LOG_DIR },
  ],
  configDir: CONFIG_DIR,
  files: [
    {
      path: "Caddyfile",
      live: true,
      content: ({ domain, routes, settings, acmeDirectory }) =>
        renderCaddyfile(domain, routes, vpnSources(settings), acmeDirectory),
    },
  ],
  reload: {
    // In a container of its own: a file that the running Caddy cannot take must never reach it.
    validate: validateInImage({
      configDir: CONFIG_DIR,
      argv: ["caddy", "validate", ...CONFIG],
      scratch: ["/data", "/config", LOG_DIR],
      environment: DIRECTORIES,
    }),
    argv: ["caddy", "reload", ...CONFIG],
  },
  // The authority that issues is believed by the host's list, which may have one of the owner's.
  trustHostCa: true,
  environment: () => DIRECTORIES,
  health: healthCheck(["CMD", "wget", "-q", "-O", "/dev/null", `http://${HEALTH_ADDRESS}/health`], {
    startPeriodSeconds: 30,
    deadlineSeconds: 90,
  }),
  // The image's binary carries this capability as a file attribute: without it in the bounding set it does not start.
  capabilities: ["CAP_NET_BIND_SERVICE"],
  pids: 128,
  memory: { requestMb: 72, limitMb: 128 },
  cpus: 0.5,
  stopGraceSeconds: 35,
  refusals: REFUSALS,
  metrics: { port: METRICS_PORT },
  alerts,
  dashboards,
  backup: {
    scope: "the internal authority and the certificates: without them every client has to trust a new authority",
    items: [
      {
        name: "caddy.tar",
        dump: ["sh", "-c", `tar -C ${HOST_DATA} -c data; code=$?; [ $code -le 1 ] || exit $code`],
        // It holds its authority and certificates in memory.
        restore: [
          "sh",
          "-c",
          `mkdir -p ${HOST_DATA}/restoring && tar -C ${HOST_DATA}/restoring --same-owner -xp && docker stop caddy >&2 && rm -rf ${HOST_DATA}/data/caddy && mv ${HOST_DATA}/restoring/data/caddy ${HOST_DATA}/data/; code=$?; rm -rf ${HOST_DATA}/restoring; docker start caddy >&2 && exit $code`,
        ],
        verify: { argv: ["find", `${HOST_DATA}/data`, "-name", "*.crt"], expect: /\.crt/ },
      },
    ],
  },
  smoke: [
    { name: "the domain's own health", status: 200, body: /^ok$/, url: (context) => `${publicOrigin(context)}/health` },
  ],
  upgrade: "The new version validates the Caddyfile before it counts; certificates are kept in the data directory.",
});
