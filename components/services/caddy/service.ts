import { defineService, healthCheck } from "../../service/presets/index.ts";
import { HEALTH_ADDRESS, METRICS_PORT, renderCaddyfile } from "./config.ts";
import { images } from "../../images.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { alerts, dashboards } from "./monitoring.ts";

const CONFIG = ["--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];

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
  ],
  configDir: "/etc/caddy",
  files: [
    {
      path: "Caddyfile",
      live: true,
      content: ({ domain, routes, settings }) => renderCaddyfile(domain, routes, settings.vpnCidrs),
    },
  ],
  reload: {
    // In a container of its own: a file that the running Caddy cannot take must never reach it.
    validate: [
      "docker",
      "run",
      "--rm",
      "--network",
      "none",
      "--read-only",
      "--tmpfs",
      "/data",
      "--tmpfs",
      "/config",
      "--tmpfs",
      "/tmp",
      "--env",
      "XDG_DATA_HOME=/data",
      "--env",
      "XDG_CONFIG_HOME=/config",
      "--volume",
      "{dir}:/etc/caddy:ro",
      "--entrypoint",
      "caddy",
      "{image}",
      "validate",
      ...CONFIG,
    ],
    argv: ["caddy", "reload", ...CONFIG],
  },
  environment: () => ({ XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "/config" }),
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
  metrics: { port: METRICS_PORT },
  alerts,
  dashboards,
  backup: {
    scope: "the internal authority and the certificates: without them every client has to trust a new authority",
    items: [
      {
        name: "caddy.tar",
        dump: ["tar", "-C", "/opt/vpai/data/caddy", "-c", "data"],
        restore: ["tar", "-C", "/opt/vpai/data/caddy", "-x"],
        verify: { argv: ["find", "/opt/vpai/data/caddy/data", "-name", "root.crt"], expect: /root\.crt/ },
      },
    ],
  },
  smoke: [
    { name: "the domain's own health", status: 200, body: /^ok$/, url: (context) => `${publicOrigin(context)}/health` },
  ],
  upgrade: "The new version validates the Caddyfile before it counts; certificates are kept in the data directory.",
});
