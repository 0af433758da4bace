import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { run } from "../../../shared/exec.ts";

/** A client key and a host key, made before there is a server. */
export interface SshKeys {
  readonly dir: string;
  readonly clientPublic: string;
  readonly hostPrivate: string;
  readonly hostPublic: string;
  remove(): Promise<void>;
}

export async function makeKeys(): Promise<SshKeys> {
  const dir = await mkdtemp(join(tmpdir(), "vpai-world-test-"));
  for (const name of ["client", "host"]) {
    await run("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", join(dir, name)]);
  }
  const read = async (name: string) => (await readFile(join(dir, name), "utf8")).trim();
  return {
    dir,
    clientPublic: await read("client.pub"),
    hostPrivate: await readFile(join(dir, "host"), "utf8"),
    hostPublic: await read("host.pub"),
    remove: () => rm(dir, { recursive: true, force: true }),
  };
}

export interface SshResult {
  readonly status: number | null;
  readonly output: string;
}

/** Runs `script` by sh as `user` on a host that must show the host key; status 255 when there is no connection. */
export async function ssh(keys: SshKeys, user: string, host: string, script: string): Promise<SshResult> {
  const [type, key] = keys.hostPublic.split(" ");
  await writeFile(join(keys.dir, "known_hosts"), `* ${type} ${key}\n`);
  const options = [
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    `UserKnownHostsFile=${keys.dir}/known_hosts`,
    "ConnectTimeout=2",
    "IdentitiesOnly=yes",
    "LogLevel=ERROR",
  ].flatMap((option) => ["-o", option]);
  const child = spawn("ssh", ["-F", "none", "-i", join(keys.dir, "client"), ...options, `${user}@${host}`, "sh"]);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += String(chunk)));
  child.stdin.on("error", () => undefined);
  child.stdin.end(script);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { status, output: output.trim() };
}

const PAUSE_MS = 200;

/** Waits until `look` gives what is wanted; the last thing seen is in the error. */
export async function eventually<T>(
  what: string,
  seconds: number,
  look: () => Promise<T>,
  wanted: (seen: T) => boolean,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (wanted(seen)) return seen;
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s; last seen: ${JSON.stringify(seen)}`);
    // The simulated Hetzner counts requests as the real one does: asked without a pause, it ends with 429.
    await pause(PAUSE_MS);
  }
}
