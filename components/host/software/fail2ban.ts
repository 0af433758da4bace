import type { RefusalLog } from "../../service/model/facets.ts";
import { CONTAINER_RANGE } from "../networks.ts";
import type { HostSoftware, Proof } from "./model.ts";

/** A log in which the requests that a service has refused are found. */
export interface WatchedLog extends RefusalLog {
  readonly service: string;
  /** Absolute. */
  readonly path: string;
  readonly owner: { readonly uid: number; readonly gid: number };
}

export interface Fail2banArgs {
  /** Address ranges that are never banned, besides the server itself and its containers. */
  readonly trusted: readonly string[];
  readonly logs: readonly WatchedLog[];
}

const WITHIN_SECONDS = 600;
/** Failed logins within {@link WITHIN_SECONDS} that are too many. An operator with a wrong key gets some tries. */
const LOGIN_LIMIT = 8;
/** The first ban ends soon, as it may be the owner's; each further one takes twice as long. */
export const BAN_SECONDS = 600;
const LONGEST_BAN_SECONDS = 86_400;

/** Reserved for documentation (RFC 5737): no client has it. */
const NO_CLIENT = "192.0.2.1";

/**
 * The table of each hook, and what it keeps out. Docker's published ports never come to `input`. The VPN's own packets, UDP
 * to the server itself, do: a member whose address is banned keeps its way in.
 */
const HOOKS = {
  input: { table: "vpai-bans-input", protocol: "tcp" },
  forward: { table: "vpai-bans-forward", protocol: "tcp,udp" },
} as const;

const ignored = (trusted: readonly string[]): string => ["127.0.0.0/8", "::1", CONTAINER_RANGE, ...trusted].join(" ");

/**
 * The ban closes every port, and ends connections that exist. It is refused with "prohibited", which a client reports as
 * "No route to host" at once: neither the time-out of a dead server nor the refusal of a closed port.
 */
function ban(hook: keyof typeof HOOKS): string {
  const { table, protocol } = HOOKS[hook];
  const settings = [
    `actname=${hook}`,
    "name=%(__name__)s",
    "type=allports",
    `protocol="${protocol}"`,
    `table=${table}`,
    `chain_hook=${hook}`,
    'blocktype="reject with icmpx type admin-prohibited"',
  ];
  return `nftables[${settings.join(", ")}]`;
}

/** `key = value` lines; further lines of a value are indented. */
const section = (name: string, settings: Readonly<Record<string, string | number>>): string =>
  [`[${name}]`, ...Object.entries(settings).map(([key, value]) => `${key} = ${value}`)].join("\n");

const jail = (limit: number, trusted: readonly string[]): Record<string, string | number> => ({
  enabled: "true",
  ignoreip: ignored(trusted),
  maxretry: limit,
  findtime: WITHIN_SECONDS,
  bantime: BAN_SECONDS,
  "bantime.increment": "true",
  "bantime.maxtime": LONGEST_BAN_SECONDS,
  action: `${ban("input")}\n         ${ban("forward")}`,
});

const jailOf = ({ service }: WatchedLog): string => `vpai-${service}`;

function jails({ trusted, logs }: Fail2banArgs): string {
  // Debian's own jail: it is on wherever the package is. Without rsyslog there is no file to read; of a server that takes keys
  // alone, only the mode `aggressive` sees those who try passwords.
  const sshd = section("sshd", {
    ...jail(LOGIN_LIMIT, trusted),
    backend: "systemd",
    journalmatch: "_SYSTEMD_UNIT=ssh.service",
    mode: "aggressive",
  });
  const services = logs.map((log) =>
    section(jailOf(log), { ...jail(log.limit, trusted), backend: "polling", filter: jailOf(log), logpath: log.path }),
  );
  return ["# Written by vpai.", sshd, ...services].join("\n\n").concat("\n");
}

const filter = ({ refusal, time }: WatchedLog): string =>
  `# Written by vpai.\n${section("Definition", { failregex: refusal, datepattern: time.replaceAll("%", "%%") })}\n`;

/** Bans an address that no client has, and sees it in both tables: what a jail claims to do is tried. */
function proofOf(name: string): Proof[] {
  return [
    { argv: ["fail2ban-client", "set", name, "banip", NO_CLIENT] },
    ...Object.values(HOOKS).map(({ table }) => ({
      argv: ["nft", "list", "set", "inet", table, `addr-set-${name}`],
      expect: NO_CLIENT.replaceAll(".", String.raw`\.`),
    })),
    { argv: ["fail2ban-client", "set", name, "unbanip", NO_CLIENT] },
  ];
}

/** fail2ban: who fails to log in, or is refused, too often is kept out for a while. */
export function planFail2ban(args: Fail2banArgs): HostSoftware {
  const { logs } = args;
  return {
    // Without python3-systemd it cannot read the journal.
    packages: ["fail2ban", "nftables", "python3-systemd"],
    files: [
      { path: "/etc/fail2ban/jail.d/vpai.local", mode: "0644", content: jails(args) },
      ...logs.map((log) => ({
        path: `/etc/fail2ban/filter.d/${jailOf(log)}.conf`,
        mode: "0644",
        content: filter(log),
      })),
    ],
    logs: logs.map(({ path, owner }) => ({ path, owner })),
    units: ["fail2ban"],
    proofs: ["sshd", ...logs.map(jailOf)].flatMap(proofOf),
  };
}
