import type { Fault } from "../../shared/errors.ts";

/** What `destroy` leaves on a server that stays with its owner. */
export interface LeaveChoice {
  /** Files and all that was installed stay too. */
  readonly keep: boolean;
  /** Data goes too. */
  readonly withData: boolean;
}

/** What `files/host/leave.py` answers. */
export interface LeaveAnswer {
  readonly removed: readonly string[];
  readonly data: { readonly path: string; readonly size: string } | null;
  readonly left: readonly string[];
  /** What becomes of the user deploy and its port: `goes; …`, `stays`, `was not found`. */
  readonly access: string;
}

/** Refuses flags that mean something only where the server outlives the stack, and data's deletion that is not confirmed. */
export function leaveFault(
  stack: string,
  { keep, withData }: LeaveChoice,
  facts: { readonly existing: boolean; readonly allowDelete?: string | undefined; readonly canAsk: boolean },
): Fault | undefined {
  const given = [...(keep ? ["--keep"] : []), ...(withData ? ["--with-data"] : [])].join(" and ");
  if (given === "") return undefined;
  if (!facts.existing)
    return {
      key: given,
      found: `stack ${stack} has a server at Hetzner, which is deleted with all that is on it`,
      allowed: "with vpai:vps.provider existing",
      fix: "leave it out",
    };
  if (keep && withData)
    return { key: given, found: "both", allowed: "one of them: --keep leaves the data too", fix: "leave one out" };
  if (!withData || facts.allowDelete === stack || facts.canAsk) return undefined;
  return {
    key: "--with-data",
    found: "all data on the server would be lost, and stdin is not a terminal: cannot ask for confirmation",
    allowed: `with \`--allow-delete ${stack}\`; nothing has been changed`,
    fix: `save the data, then add --allow-delete ${stack}`,
  };
}

/** What the operator reads before the question. */
export function announceLeave(stack: string, { keep, withData }: LeaveChoice): string[] {
  const what = keep
    ? "its files, secrets among them, and all that was installed stay on the server (--keep)"
    : `files with secrets, images and what was installed are removed from the server, ${withData ? "AND ALL DATA (--with-data)" : "data stays"}`;
  return [`all resources of stack ${stack} will be deleted; ${what}`];
}

/** What the server itself refuses, by ssh's last words: the key, or a connection to the port, on which nothing listens. */
export function refusalOf(stderr: string): "key" | "port" | undefined {
  if (/Permission denied \(/.test(stderr)) return "key";
  return stderr.includes("Connection refused") ? "port" : undefined;
}

/** The end of a `destroy --keep`. */
export const keptLines = (stack: string): string[] => [
  "left on the server, as --keep asks for:",
  "  files with secrets in clear, data, images, the user deploy with its key, and its port of sshd",
  "  the firewall, which opens no other port: systemctl disable --now vpai-firewall; nft delete table inet vpai",
  `  remove them: \`vpai destroy --stack ${stack}\` again, without --keep`,
];

/** What the operator reads at the end. */
export function leaveLines(stack: string, { removed, data, left, access }: LeaveAnswer): string[] {
  const rest = [
    ...(data
      ? [
          `data, ${data.size}, at ${data.path}; what is encrypted in it needs the stack's permanent secrets. As root: rm -r ${data.path.replace(/\/data$/, "")} /var/lib/vpai`,
        ]
      : []),
    ...left,
    "Debian's packages, which other software may need: apt-get purge docker.io apparmor tini",
  ];
  return [
    `removed from the server of stack ${stack}: ${removed.join(", ") || "nothing"}`,
    `the user deploy, its key and its port of sshd: ${access}`,
    "left on the server:",
    ...rest.map((line) => `  ${line}`),
  ];
}
