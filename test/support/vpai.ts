import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** What a run of the command did. */
export interface VpaiResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they came. */
  readonly output: string;
  readonly ms: number;
}

export interface VpaiOptions {
  /** Added to this process's environment; undefined removes a variable. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Ended, with an error, after so long. @default 60 000 */
  readonly timeoutMs?: number;
  /** Enters by bin/vpai.js, as a person does, instead of by ops/cli/main.ts. @default false */
  readonly throughBin?: boolean;
  /** Is told the process once it runs: for tests that interrupt it. */
  readonly onStart?: (pid: number) => void;
}

/** Runs `vpai` with these arguments, without a terminal. */
export async function vpai(args: readonly string[], options: VpaiOptions = {}): Promise<VpaiResult> {
  const { env = {}, timeoutMs = 60_000, throughBin = false, onStart } = options;
  const entry = throughBin ? ["bin/vpai.js"] : ["--disable-warning=ExperimentalWarning", "ops/cli/main.ts"];
  if (!existsSync(join(PROJECT_ROOT, entry.at(-1) ?? "")))
    throw new Error(`no ${entry.at(-1) ?? ""} in ${PROJECT_ROOT}`);
  const begun = Date.now();
  const child = spawn(process.execPath, [...entry, ...args], {
    cwd: PROJECT_ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const texts = { stdout: "", stderr: "", output: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      texts[stream] += text;
      texts.output += text;
    });
  }
  if (child.pid !== undefined) onStart?.(child.pid);
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const [code] = (await once(child, "close")) as [number | null];
  clearTimeout(timer);
  if (late) throw new Error(`vpai ${args.join(" ")} took over ${timeoutMs} ms; it had said:\n${texts.output}`);
  return { code, ...texts, ms: Date.now() - begun };
}

/** The command line in one process for many runs, a hundredth of the time that a process for each takes. */
export class VpaiProcess {
  readonly #child = fork(join(import.meta.dirname, "vpai-process.ts"), {
    cwd: PROJECT_ROOT,
    execArgv: ["--disable-warning=ExperimentalWarning"],
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });

  /** For runs that end before they start anything; one at a time. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<VpaiResult> {
    const begun = Date.now();
    const answered = once(this.#child, "message", { signal: AbortSignal.timeout(60_000) });
    this.#child.send({ args, env });
    const [answer] = (await answered) as [Omit<VpaiResult, "ms">];
    return { ...answer, ms: Date.now() - begun };
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect();
  }
}
