import { spawn } from "node:child_process";
import { existsSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { OperatorError } from "../shared/errors.ts";
import { RunError, run } from "../shared/exec.ts";
import { cacheDir } from "./cache.ts";
import { ensureDebianPackages, thisMachine } from "./debian.ts";
import { withLock } from "./lock.ts";

const DEFAULT_SOCKET = "/var/run/docker.sock";
/** The release of Debian 11 and later; older engines lack what the VPS container needs. */
const DOCKER_MINIMUM = "20.10";
const PID_FILE = "/var/run/docker.pid";
const START_TIMEOUT_MS = 60_000;
const NEEDED_FOR = "Docker Engine, for the sandbox";

export interface DockerEngine {
  readonly version: string;
  /** Path of the Unix socket that it answers on. */
  readonly socket: string;
  /** running: it ran before; started: installed before, started by this call; installed: by this call. */
  readonly origin: "running" | "started" | "installed";
}

/** What a daemon's socket answered. */
export type DockerAnswer =
  | { readonly kind: "ready"; readonly version: string }
  | { readonly kind: "missing" | "refused" | "denied" | "silent" }
  | { readonly kind: "strange"; readonly found: string };

/**
 * A Docker daemon of this machine: the one that runs, else one that is installed, as root on Debian, and started.
 *
 * @throws OperatorError – DOCKER_HOST names none, or there is none and it is not for us to install one
 */
export async function ensureDocker(
  report: (line: string) => void,
  env: NodeJS.ProcessEnv = process.env,
): Promise<DockerEngine> {
  const socket = dockerSocket(env);
  const answer = await askDocker(socket);
  if (answer.kind === "ready") return { version: serving(answer.version, socket), socket, origin: "running" };
  const ours = !env.DOCKER_HOST && (answer.kind === "missing" || answer.kind === "refused");
  const machine = await thisMachine();
  if (!ours || !machine.debian || !machine.root) throw dockerFault(socket, answer, env, machine.debian);
  return withLock("vpai-dockerd", async () => {
    const now = await askDocker(socket); // another run may have started it meanwhile
    if (now.kind === "ready") return { version: serving(now.version, socket), socket, origin: "running" };
    const installed = await dockerdPath();
    if (installed === undefined) await ensureDebianPackages(["docker.io", "iptables"], NEEDED_FOR, report);
    report("starting the Docker daemon");
    const version = await startDocker(socket);
    return { version: serving(version, socket), socket, origin: installed === undefined ? "installed" : "started" };
  });
}

/** The Unix socket that DOCKER_HOST, or the default, names. */
export function dockerSocket(env: NodeJS.ProcessEnv): string {
  if (!env.DOCKER_HOST) return DEFAULT_SOCKET;
  const path = /^unix:\/\/(\/.+)$/.exec(env.DOCKER_HOST)?.[1];
  if (path !== undefined) return path;
  throw new OperatorError({
    key: "DOCKER_HOST",
    found: env.DOCKER_HOST,
    allowed:
      "unix:///path/to/docker.sock – the sandbox needs a daemon of this machine, for its networks and firewall rules",
    fix: `unset DOCKER_HOST, which means unix://${DEFAULT_SOCKET}`,
  });
}

/** Asks the daemon for its version, for at most five seconds. */
export function askDocker(socket: string): Promise<DockerAnswer> {
  return new Promise((answered) => {
    const call = request({ socketPath: socket, path: "/version", timeout: 5000 }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (part: string) => (text += part));
      response.on("end", () => answered(parseVersion(response.statusCode ?? 0, text)));
    });
    call.on("timeout", () => {
      answered({ kind: "silent" });
      call.destroy();
    });
    call.on("error", (error: NodeJS.ErrnoException) => answered(socketError(error)));
    call.end();
  });
}

function parseVersion(status: number, text: string): DockerAnswer {
  try {
    const { Version } = JSON.parse(text) as { Version?: unknown };
    if (status === 200 && typeof Version === "string") return { kind: "ready", version: Version };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return { kind: "strange", found: `HTTP ${status}: ${text.slice(0, 80)}` };
}

function socketError(error: NodeJS.ErrnoException): DockerAnswer {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return { kind: "missing" };
  if (error.code === "ECONNREFUSED") return { kind: "refused" };
  if (error.code === "EACCES" || error.code === "EPERM") return { kind: "denied" };
  return { kind: "strange", found: error.message };
}

function serving(version: string, socket: string): string {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 10)) return version;
  throw new OperatorError({
    key: `Docker at ${socket}`,
    found: version,
    allowed: `${DOCKER_MINIMUM} or newer`,
    fix: "upgrade Docker Engine: https://docs.docker.com/engine/install/",
  });
}

/** The text for a daemon that does not serve. */
export function dockerFault(
  socket: string,
  answer: Exclude<DockerAnswer, { kind: "ready" }>,
  env: NodeJS.ProcessEnv,
  debian: boolean,
): OperatorError {
  const start = debian
    ? "run: sudo systemctl start docker (installed by: sudo apt-get install -y docker.io)"
    : "install and start Docker Engine: https://docs.docker.com/engine/install/";
  const fix = env.DOCKER_HOST ? "start the daemon that DOCKER_HOST names, or unset DOCKER_HOST" : start;
  const key = env.DOCKER_HOST ? "DOCKER_HOST" : "Docker";
  switch (answer.kind) {
    case "missing":
      return new OperatorError({ key, found: `there is no ${socket}`, allowed: NEEDED_FOR, fix });
    case "refused":
      return new OperatorError({
        key,
        found: `nothing listens on ${socket} (connection refused)`,
        allowed: NEEDED_FOR,
        fix,
      });
    case "denied":
      return new OperatorError({
        key,
        found: `this user may not use ${socket} (permission denied)`,
        fix: "run as root, or run: sudo usermod -aG docker $USER – and log in again",
      });
    case "silent":
      return new OperatorError({
        key,
        found: `${socket} takes the connection and does not answer`,
        fix: "restart the Docker daemon",
      });
    case "strange":
      return new OperatorError({
        key,
        found: `${socket} answers no Docker: ${answer.found}`,
        allowed: "a Docker daemon's socket",
        fix,
      });
  }
}

async function dockerdPath(): Promise<string | undefined> {
  const directories = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
  return directories.map((directory) => join(directory, "dockerd")).find((path) => existsSync(path));
}

/** Starts dockerd, by systemd where that runs the machine. @returns its version */
async function startDocker(socket: string): Promise<string> {
  if (existsSync("/run/systemd/system")) {
    try {
      await run("systemctl", ["start", "docker"], { timeoutMs: START_TIMEOUT_MS });
    } catch (error) {
      if (error instanceof RunError) throw startFailed(error.message, "see `journalctl -u docker`");
      throw error;
    }
    return untilReady(socket, () => undefined, "see `journalctl -u docker`");
  }
  if (await dockerdRuns()) return untilReady(socket, () => undefined, "look why the dockerd that runs does not answer");
  const log = join(cacheDir(), "logs", "dockerd.log");
  await mkdir(join(cacheDir(), "logs"), { recursive: true });
  const path = (await dockerdPath()) ?? "dockerd";
  const output = openSync(log, "a");
  // It serves the whole machine from now on, so it outlives this process.
  const daemon = spawn(path, ["--host", `unix://${socket}`], { detached: true, stdio: ["ignore", output, output] });
  let ended: string | undefined;
  daemon.on("error", (error) => (ended = error.message));
  daemon.on("exit", (code, signal) => (ended = `dockerd ended with ${code ?? signal}`));
  daemon.unref();
  try {
    return await untilReady(socket, () => ended, `see ${log}`);
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error;
    const lines = (await readFile(log, "utf8")).trim().split("\n").slice(-5).join("\n");
    throw startFailed(`${error.faults[0]?.found ?? ""}\n${lines}`, `see ${log}`);
  }
}

/** Whether one has been started already, such as by the package's installation: a second one would refuse to start. */
async function dockerdRuns(): Promise<boolean> {
  if (!existsSync(PID_FILE)) return false;
  const pid = (await readFile(PID_FILE, "utf8")).trim();
  if (!existsSync(`/proc/${pid}/comm`)) return false;
  return (await readFile(`/proc/${pid}/comm`, "utf8")).trim() === "dockerd";
}

async function untilReady(socket: string, ended: () => string | undefined, fix: string): Promise<string> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    const answer = await askDocker(socket);
    if (answer.kind === "ready") return answer.version;
    const why =
      ended() ?? (Date.now() > deadline ? `${socket} is ${answer.kind} after ${START_TIMEOUT_MS / 1000} s` : undefined);
    if (why !== undefined) throw startFailed(why, fix);
    await new Promise((resume) => setTimeout(resume, 100));
  }
}

function startFailed(found: string, fix: string): OperatorError {
  return new OperatorError({ key: "Docker daemon", found, allowed: NEEDED_FOR, fix });
}
