import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What makes a bootstrap that of one machine. */
export interface BootstrapArgs {
  /** Ports that sshd listens on afterwards; the first is the one that counts. */
  readonly sshPorts: readonly number[];
  /** Public key that may log in as the deploy user, OpenSSH format. */
  readonly deployKey: string;
  /** Whether sshd goes on to take passwords. */
  readonly passwordLogin: boolean;
  /** Files by name, as {@link hostFiles} gives them; `bootstrap.sh` is the one that runs. */
  readonly files: Readonly<Record<string, string>>;
}

const NAMES = [
  "bootstrap.sh",
  "daemon.json",
  "drain.sh",
  "docker-settings.py",
  "files.py",
  "firewall.py",
  "gate.py",
  "hold.sh",
  "journald.conf",
  "logins.conf",
  "logins.sh",
  "check-permanent-secrets.py",
  "provision.py",
  "sshd.conf",
  "upgrades.conf",
  "vpai-firewall.service",
];
const END = "__END_OF_VPAI_FILE__";

/** Whether the bootstrap installs a file as a command in /usr/local/lib/vpai, under its name without the extension. */
export const isHostCommand = (file: string): boolean => /\.(py|sh)$/.test(file) && file !== "bootstrap.sh";

export const HOST_COMMANDS: readonly string[] = NAMES.filter(isHostCommand).map((name) => name.replace(/\.\w+$/, ""));

/** The files of `files/host`, by name. */
export function hostFiles(): Record<string, string> {
  const folder = join(import.meta.dirname, "../../files/host");
  return Object.fromEntries(NAMES.map((name) => [name, readFileSync(join(folder, name), "utf8")]));
}

/**
 * One self-contained script: it unpacks the files to /opt/vpai/host and runs `bootstrap.sh` there. The hash of all of
 * it is what a bootstrapped machine remembers, so that a machine that lags behind is known by comparing two words.
 */
export function renderBootstrap({ sshPorts, deployKey, passwordLogin, files }: BootstrapArgs): string {
  if (!/^ssh-ed25519 [A-Za-z0-9+/=]+( [\w@.-]+)?\s*$/.test(deployKey)) {
    throw new Error("the deploy key is not an OpenSSH ed25519 public key");
  }
  const unpack = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]) => `cat > /opt/vpai/host/${name} <<'${END}'\n${text.replace(/\n*$/, "\n")}${END}\n`)
    .join("");
  const body = [
    "set -euo pipefail",
    "umask 022",
    "install -d -m 0755 /opt/vpai /opt/vpai/host",
    "exec 9> /opt/vpai/host/.lock",
    "flock -w 600 9",
    unpack.trimEnd(),
    `export VPAI_SSH_PORTS='${sshPorts.join(" ")}'`,
    `export VPAI_DEPLOY_KEY='${deployKey.trim()}'`,
    `export VPAI_LOGINS=${passwordLogin ? "any" : "keys"}`,
  ].join("\n");
  const hash = createHash("sha256").update(body).digest("hex");
  return `#!/bin/bash\n${body}\nexport VPAI_HASH=${hash}\nexec bash /opt/vpai/host/bootstrap.sh\n`;
}

/** A rendered bootstrap, taken apart again. */
export interface Bootstrap extends BootstrapArgs {
  readonly hash: string;
}

/** The inverse of {@link renderBootstrap}: what a machine whose bootstrap is this script was given. */
export function parseBootstrap(script: string): Bootstrap {
  const exported = (name: string): string =>
    new RegExp(`^export ${name}='?([^'\\n]*)'?$`, "m").exec(script.slice(script.lastIndexOf(END)))?.[1] ?? "";
  const blocks = script.matchAll(new RegExp(`^cat > /opt/vpai/host/(\\S+) <<'${END}'\\n([\\s\\S]*?)^${END}$`, "gm"));
  return {
    sshPorts: exported("VPAI_SSH_PORTS").split(" ").map(Number),
    deployKey: exported("VPAI_DEPLOY_KEY"),
    passwordLogin: exported("VPAI_LOGINS") !== "keys",
    hash: exported("VPAI_HASH"),
    files: Object.fromEntries([...blocks].map(([, name = "", text = ""]) => [name, text])),
  };
}
