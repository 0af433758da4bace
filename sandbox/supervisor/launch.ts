import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { call } from "../control/control-client.ts";
import { errorFrom, type StartMessage } from "../control/control-lines.ts";
import { readWorldFile, type Instance, type WorldFile } from "./instance.ts";
import { livePid } from "./pidfile.ts";
import { OWNER, processesOf } from "./processes.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** How long a start may go without a word; building the server's image is the longest step. */
const SILENCE_MS = 300_000;
const STOP_MS = 30_000;

/** Starts the instance's supervisor as a process of its own, and waits until it serves. */
export async function launchSupervisor(
  instance: Instance,
  env: NodeJS.ProcessEnv,
  report: (line: string) => void,
): Promise<WorldFile> {
  // Its temporary files too go with its folder, however it ends.
  const temporary = join(instance.dir, "tmp");
  await mkdir(temporary, { recursive: true, mode: 0o700 });
  const log = openSync(join(instance.dir, "supervisor.log"), "a", 0o600);
  const script = join(import.meta.dirname, "supervisor.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", script, instance.name], {
    cwd: PROJECT_ROOT,
    detached: true,
    env: { ...withoutNodeOptions(env), [OWNER]: instance.label, TMPDIR: temporary },
    stdio: ["ignore", log, log, "ipc"],
  });
  closeSync(log);
  try {
    if ((await firstVerdict(child, instance, report)) === "running") await untilServing(instance);
  } finally {
    if (child.connected) child.disconnect();
    child.unref();
  }
  const file = await readWorldFile(instance);
  if (file === undefined) throw new Error(`the supervisor is ready, but there is no world.json in ${instance.dir}`);
  return file;
}

/** Asks the supervisor to end, waits, and ends it, and what it started, if that is still there. */
export async function stopSupervisor(instance: Instance): Promise<void> {
  const pid = await livePid(instance);
  if (pid !== undefined) process.kill(pid, "SIGTERM");
  const ended = async (): Promise<boolean> => (await livePid(instance)) === undefined;
  await eventually(ended, STOP_MS);
  // A supervisor that was killed leaves its children behind.
  for (const left of await processesOf(instance)) killIfAlive(left.pid);
  const gone = async (): Promise<boolean> => (await processesOf(instance)).length === 0;
  if (await eventually(gone, STOP_MS)) return;
  const left = (await processesOf(instance)).map(({ pid, command }) => `${pid} ${command}`);
  throw new Error(`processes of the sandbox ${instance.name} do not end:\n${left.join("\n")}`);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function firstVerdict(
  child: ChildProcess,
  instance: Instance,
  report: (line: string) => void,
): Promise<"ready" | "running"> {
  return new Promise((resolve, reject) => {
    const fail = (reason: string): void => {
      void lastLines(instance).then((lines) => reject(new Error(`the sandbox did not start: ${reason}\n${lines}`)));
    };
    const silence = setTimeout(() => fail(`no word for ${SILENCE_MS / 1000} s`), SILENCE_MS);
    child.on("message", (message: StartMessage) => {
      silence.refresh();
      if (message.kind === "report") report(message.line);
      if (message.kind === "error") reject(message.faults ? errorFrom(message) : new Error(message.message));
      if (message.kind === "ready" || message.kind === "running") resolve(message.kind);
      if (message.kind !== "report") clearTimeout(silence);
    });
    child.once("error", (error) => fail(error.message));
    child.once("exit", (code, signal) => {
      clearTimeout(silence);
      fail(`it ended with ${code ?? signal}`);
    });
  });
}

/** Another process is starting, or has started, the same sandbox. */
async function untilServing(instance: Instance): Promise<void> {
  let last = "no world.json";
  const serves = async (): Promise<boolean> => {
    const file = await readWorldFile(instance);
    if (file === undefined) return false;
    return call(file, "GET", "/health", undefined, 2_000).then(
      () => true,
      (error: unknown) => {
        last = String(error);
        return false;
      },
    );
  };
  if (await eventually(serves, SILENCE_MS)) return;
  throw new Error(`another process holds the sandbox, but it does not serve: ${last}\n${await lastLines(instance)}`);
}

async function eventually(condition: () => Promise<boolean>, deadlineMs: number): Promise<boolean> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    if (await condition()) return true;
    if (Date.now() > end) return false;
    await delay(50);
  }
}

async function lastLines(instance: Instance): Promise<string> {
  const file = join(instance.dir, "supervisor.log");
  const log = await readFile(file, "utf8").catch(() => "(no log)");
  return `last lines of ${file}:\n${log.trimEnd().split("\n").slice(-15).join("\n")}`;
}

/** What a debugger or a test runner put there is not meant for the supervisor. */
function withoutNodeOptions(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_CHANNEL_FD: _channel, ...rest } = env;
  return rest;
}
