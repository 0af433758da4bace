import { defineService, healthCheck, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import type { Argv } from "../../service/model/operations.ts";
import { publicOrigin } from "../../service/model/public-origin.ts";
import { HEADSCALE_PORT } from "../../vpn/headscale.ts";
import { CONFIG_DIR, DATA_DIR, headscaleConfig, headscalePolicy, STUN_PORT, SUBDOMAIN } from "./config.ts";

const USER = 65532;
const DATABASE = "/opt/vpai/data/headscale/db.sqlite";

/** A program of Python's own library: the image has neither a shell nor a client of SQLite. */
const sqlite = (program: string): Argv => [
  "sudo",
  "-n",
  "python3",
  "-I",
  "-c",
  `import sqlite3; db = sqlite3.connect("${DATABASE}"); ${program}`,
];

/**
 * Makes the new database next to the old one: it takes its place only when it is whole. By setpriv: sudo refuses a user that
 * the server does not know.
 */
const RESTORE =
  `setpriv --reuid=${USER} --regid=${USER} --clear-groups ` +
  `python3 -I -c 'import sqlite3, sys; sqlite3.connect("${DATABASE}.new").executescript(sys.stdin.read())'`;

/** Control server of the stack's own VPN: knows the members, gives them addresses, and the names of the admin hosts. */
export const headscale = defineService({
  name: "headscale",
  image: images.headscale,
  enabled: ({ vpn }) => vpn.host,
  networks: ["frontend"],
  port: HEADSCALE_PORT,
  publish: [
    { port: STUN_PORT, protocol: "udp" },
    // The server's own member needs neither a certificate nor a DNS record to join.
    { port: HEADSCALE_PORT, protocol: "tcp", loopback: true },
  ],
  user: { uid: USER, gid: USER },
  command: ["serve"],
  data: [{ path: "", target: DATA_DIR }],
  configDir: CONFIG_DIR,
  files: [
    { path: "config.yaml", content: headscaleConfig },
    { path: "policy.json", content: headscalePolicy },
  ],
  environment: () => ({ GOMEMLIMIT: "108MiB" }),
  health: healthCheck(["CMD", "headscale", "health"], { startPeriodSeconds: 30, deadlineSeconds: 90 }),
  pids: 64,
  memory: { requestMb: 60, limitMb: 128 },
  cpus: 0.5,
  route: {
    subdomain: SUBDOMAIN,
    // Who is not in the VPN yet has to reach it: a key for a machine opens it. Its API is asked on the server alone.
    audience: "public",
    healthPath: "/health",
    denyPaths: ["/swagger*", "/api/*"],
  },
  metrics: notApplicable("their port answers debugging pages too, which show keys' prefixes and the policy"),
  backup: {
    scope: "the members of the VPN and their addresses: without it, every machine has to join again",
    items: [
      {
        name: "database",
        dump: sqlite("[print(line) for line in db.iterdump()]"),
        restore: [
          "sh",
          "-c",
          `rm -f ${DATABASE}.new && ${RESTORE} && docker stop headscale >&2 && rm -f ${DATABASE}-* && mv ${DATABASE}.new ${DATABASE}; code=$?; docker start headscale >&2 && exit $code`,
        ],
        verify: { argv: sqlite("print(db.execute('select count(*) from users').fetchone()[0])"), expect: /^[1-9]/ },
      },
      {
        name: "keys",
        dump: ["tar", "-C", "/opt/vpai/data/headscale", "-c", "noise_private.key"],
        restore: ["sh", "-c", "tar -C /opt/vpai/data/headscale --same-owner -xp && docker restart headscale >&2"],
        verify: { argv: ["stat", "-c", "%u", "/opt/vpai/data/headscale/noise_private.key"], expect: /^65532$/m },
      },
    ],
  },
  smoke: [
    {
      name: "Headscale answers its members",
      status: 200,
      body: /"status":\s*"pass"/,
      url: (context) => `${publicOrigin(context, SUBDOMAIN)}/health`,
    },
  ],
  upgrade:
    "One minor version at a time: its database is converted at the start and does not go back. The release notes name the " +
    "oldest Tailscale client that it still takes.",
});
