import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The name that the SSH configuration gives the machine: `ssh -F <config> vpai`. */
export const SSH_ALIAS = "vpai";

export interface SshAccess {
  readonly machineId: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Public host key, OpenSSH format. */
  readonly hostKey: string;
  readonly privateKey: string;
}

/**
 * The files that OpenSSH needs, by name. All paths are relative to the program's folder, so the same on every machine:
 * the configuration's path is in the state.
 */
export function renderSshFiles(
  folder: string,
  access: SshAccess,
): Record<"id_ed25519" | "known_hosts" | "config", string> {
  // One socket a machine: a connection left open to the old one would swallow what is meant for the new one.
  const socket = createHash("sha256").update(`${access.machineId} ${access.address}`).digest("hex").slice(0, 10);
  return {
    id_ed25519: `${access.privateKey.trim()}\n`,
    known_hosts: `${SSH_ALIAS} ${access.hostKey.trim()}\n`,
    config: `Host ${SSH_ALIAS}
  HostName ${access.address}
  Port ${access.port}
  User ${access.user}
  HostKeyAlias ${SSH_ALIAS}
  UserKnownHostsFile ${folder}/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  CheckHostIP no
  IdentityFile ${folder}/id_ed25519
  IdentitiesOnly yes
  BatchMode yes
  ControlMaster auto
  ControlPath ${folder}/${socket}
  ControlPersist 60s
  ServerAliveInterval 5
  ServerAliveCountMax 3
  LogLevel ERROR
`,
  };
}

/** Makes the folder exactly these files, mode 0600; files that are right already are left alone. */
export function materialise(folder: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    if (isRight(path, text)) continue;
    const temporary = `${path}.${process.pid}`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, path);
  }
}

function isRight(path: string, text: string): boolean {
  try {
    return (statSync(path).mode & 0o777) === 0o600 && readFileSync(path, "utf8") === text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}
