import { createHash } from "node:crypto";
import { CONFIG_DIR, defineService, httpHealth, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { configSecret } from "../../service/model/secrets.ts";
import type { ServiceSettings } from "../../service/model/settings.ts";
import { hasVpn } from "../../service/model/vpn.ts";
import { HEADSCALE_PORT, joinServer, requireNoOther } from "../../vpn/headscale.ts";

const DATA_DIR = "/var/lib/tailscale";
const STATUS_PORT = 9002;
/** Members send to it directly; without it every packet goes through a relay. */
const WIREGUARD_PORT = 41641;

/**
 * What it knows of one control server, below its data: a member of one keeps to it, although it is started with
 * another one: for that it has to start from nothing.
 */
const stateFolder = ({ vpn }: Pick<ServiceSettings, "vpn">): string =>
  vpn.controlUrl === undefined ? "own" : createHash("sha256").update(vpn.controlUrl).digest("hex").slice(0, 16);

/** The server as a member of the VPN. */
export const tailscale = defineService({
  name: "tailscale",
  image: images.tailscale,
  enabled: hasVpn,
  networks: [],
  hostNetwork: "it is the server that is the member: its ports answer at the VPN's address, and see members' addresses",
  publish: [
    { port: WIREGUARD_PORT, protocol: "udp" },
    { port: STATUS_PORT, protocol: "tcp", loopback: true },
  ],
  user: { uid: 0, gid: 0, rootReason: "it makes the server's interface of the VPN, its addresses and routes" },
  capabilities: ["CAP_NET_ADMIN", "CAP_NET_RAW"],
  devices: ["/dev/net/tun"],
  command: ["/usr/local/bin/containerboot"],
  data: [{ path: "", target: DATA_DIR }],
  trustHostCa: true,
  configDir: CONFIG_DIR,
  files: ({ settings: { vpn, providedSecrets } }) =>
    vpn.host || !providedSecrets.includes("vpnAuthKey")
      ? []
      : [{ path: "authkey", content: (_, reveal) => `${reveal(configSecret("vpnAuthKey"))}\n` }],
  startsAfter: ["headscale"],
  prepare: ({ settings }) => (settings.vpn.host ? joinServer(stateFolder(settings)) : requireNoOther()),
  environment: ({ settings: { vpn } }) => ({
    TS_KUBE_SECRET: "",
    TS_STATE_DIR: `${DATA_DIR}/${stateFolder({ vpn })}`,
    TS_SOCKET: "/var/run/tailscale/tailscaled.sock",
    TS_USERSPACE: "false",
    // The key is used once; a member that has joined needs none.
    TS_AUTH_ONCE: "true",
    TS_AUTHKEY: vpn.host ? `file:${DATA_DIR}/${stateFolder({ vpn })}/authkey` : `file:${CONFIG_DIR}/authkey`,
    TS_HOSTNAME: vpn.hostname,
    // The server's own resolver answers it, VPN or not.
    TS_ACCEPT_DNS: "false",
    TS_ENABLE_HEALTH_CHECK: "true",
    TS_LOCAL_ADDR_PORT: `127.0.0.1:${STATUS_PORT}`,
    // The firewall is the stack's. Tailscale's own rules would come before or after Docker's, by the order of their starts,
    // and then routes see the bridge's address in place of the member's (P25, tailscale#10205).
    TS_EXTRA_ARGS: `--login-server=${vpn.controlUrl ?? `http://127.0.0.1:${HEADSCALE_PORT}`} --netfilter-mode=off`,
    TS_TAILSCALED_EXTRA_ARGS: `--no-logs-no-support --port=${WIREGUARD_PORT}`,
    GOMEMLIMIT: "80MiB",
  }),
  health: httpHealth(STATUS_PORT, "/healthz", { startPeriodSeconds: 60, deadlineSeconds: 90 }),
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m", "/var/run/tailscale": "rw,noexec,nosuid,size=1m" },
  pids: 64,
  memory: { requestMb: 72, limitMb: 128 },
  cpus: 0.5,
  stopGraceSeconds: 10,
  metrics: notApplicable("they would have to be reached on the server itself, and Alloy's networks do not lead there"),
  backup: notApplicable(
    "its key and its address are made again when it joins; a copy would be a second machine with them",
  ),
  smoke: [
    { name: "the server is a member of the VPN", exec: ["tailscale", "ip", "-4"], prints: /^\d+\.\d+\.\d+\.\d+$/ },
  ],
  upgrade: "Headscale names the oldest and the newest client that it was tested with in its release notes.",
});
