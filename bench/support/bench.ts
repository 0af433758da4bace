import { mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { closeWorld } from "../../sandbox/supervisor/client.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** A measurement that measured something else. The times of a benchmark never fail it, this does. */
export class VoidMeasurement extends Error {}

/** What a benchmark has to work with. */
export interface Bench {
  /** Its own sandbox; does not exist yet. */
  readonly instance: string;
  /** Its own temporary folder, mode 0700. */
  readonly folder: string;
  /** Aborts when the operator ends the benchmark. */
  readonly signal: AbortSignal;
}

/** Progress for the user; results go to stdout. */
export const report = (line: string): void => void process.stderr.write(`${line}\n`);

/** How busy the machine is: its load average over one minute against its processors, with a warning if it distorts the result. */
export function load(): string {
  const [now, processors] = [loadavg()[0] ?? 0, availableParallelism()];
  const warning = now > 1.5 * processors ? " (busy: times are longer than on a quiet machine)" : "";
  return `${now.toFixed(2)} on ${processors} processors${warning}`;
}

/** Runs a benchmark in a sandbox of its own and always removes it. Sets the exit code. */
export async function benchmark(instance: string, body: (bench: Bench) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort(new Error(`by ${signal}`)));
  try {
    await refuseSecond(instance);
    const folder = await mkdtemp(join(tmpdir(), "vpai-bench-"));
    try {
      await body({ instance, folder, signal: stop.signal });
    } finally {
      await closeWorld(instance, report);
      await rm(folder, { recursive: true });
    }
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`\n${explained(error, stop.signal)}\n`);
  }
}

function explained(error: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "the benchmark was aborted; its sandbox was removed";
  if (error instanceof VoidMeasurement) return `void: ${error.message}`;
  if (error instanceof OperatorError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

async function refuseSecond(instance: string): Promise<void> {
  if ((await readWorldFile(instanceOf(instance))) === undefined) return;
  throw new OperatorError({
    key: `sandbox ${instance}`,
    found: "it is there: another benchmark runs, or one was killed",
    fix: `if none runs: \`vpai sandbox down --instance ${instance}\``,
  });
}

/** `vpai start` in the benchmark's sandbox: what it says, shown as it comes, and its wall time in milliseconds. */
export const start = (bench: Bench): Promise<{ readonly output: string; readonly ms: number }> =>
  vpai(bench, ["start"], ["pipe", "inherit"]);

/** `vpai up` in the benchmark's sandbox, as an operator calls it: what it says, and its wall time in milliseconds. */
export const up = (bench: Bench): Promise<{ readonly output: string; readonly ms: number }> =>
  vpai(bench, ["up", "--stack", "sandbox"], ["pipe"]);

async function vpai(
  { instance, signal }: Bench,
  words: readonly string[],
  stderr: ("pipe" | "inherit")[],
): Promise<{ readonly output: string; readonly ms: number }> {
  const from = performance.now();
  const ended = await execa(process.execPath, [join(PROJECT_ROOT, "bin/vpai.js"), ...words, "--instance", instance], {
    cwd: PROJECT_ROOT,
    stdin: "ignore",
    stdout: "ignore",
    stderr,
    cancelSignal: signal,
  });
  return { output: ended.stderr, ms: performance.now() - from };
}
