import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Checkout } from "./checkout.ts";
import { type ProcessSamples, sampleProcesses } from "./secrets.ts";

/** What could be seen of a run. */
export interface Watched {
  readonly output: string;
  /** The engine's log at its most verbose. */
  readonly log: string;
  readonly processes: ProcessSamples;
}

/** Runs `vpai` to its end, with what it logs and what every process of this machine shows of itself meanwhile. */
export async function watchedRun(checkout: Checkout, args: readonly string[]): Promise<Watched> {
  const sampler = sampleProcesses();
  const output = await checkout.expectVpai(args).finally(() => sampler.stop());
  const log = await readFile(join(checkout.dir, /full output:? +(\S+)/i.exec(output)?.[1] ?? ""), "utf8");
  return { output, log, processes: await sampler.stop() };
}
