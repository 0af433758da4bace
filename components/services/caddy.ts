import { HEALTH_ADDRESS, renderCaddyfile } from "../edge/caddyfile.ts";
import type { ServiceDefinition } from "../service/definition.ts";

const CONFIG = ["--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];

/** The one door: TLS, host names, and requests that wait while what is behind them is replaced. */
export const caddy: ServiceDefinition = {
  name: "caddy",
  image:
    "docker.io/library/caddy:2.11.7-alpine@sha256:d8542f48d34a9cf4e4c11a478865229840e87e4c96ea3f439101f31a5d35f75f",
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
  files: [{ path: "Caddyfile", text: ({ domain, routes }) => renderCaddyfile(domain, routes) }],
  reload: {
    // In a container of its own: a file that the running Caddy cannot take must never reach it.
    validate: [
      ...["docker", "run", "--rm", "--network", "none", "--read-only", "--tmpfs", "/data", "--tmpfs", "/config"],
      ...["--tmpfs", "/tmp", "--env", "XDG_DATA_HOME=/data", "--env", "XDG_CONFIG_HOME=/config"],
      ...["--volume", "{dir}:/etc/caddy:ro", "--entrypoint", "caddy", "{image}", "validate", ...CONFIG],
    ],
    argv: ["caddy", "reload", ...CONFIG],
  },
  environment: () => ({ XDG_DATA_HOME: "/data", XDG_CONFIG_HOME: "/config" }),
  health: {
    test: ["CMD", "wget", "-q", "-O", "/dev/null", `http://${HEALTH_ADDRESS}/health`],
    intervalSeconds: 5,
    timeoutSeconds: 5,
    retries: 5,
    startPeriodSeconds: 30,
    deadlineSeconds: 90,
  },
  // The image's binary carries this capability as a file attribute: without it in the bounding set it does not start.
  capabilities: ["CAP_NET_BIND_SERVICE"],
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
  pids: 128,
  memoryMb: { standard: 256, small: 128 },
  cpus: 0.5,
  stopGraceSeconds: 35,
  backup: { kind: "directory", note: "data holds the internal CA and the certificates" },
  smoke: { url: ({ domain }) => `https://${domain}/health`, expect: 200 },
};
