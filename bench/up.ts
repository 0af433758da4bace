/** How long it takes from no server to a converged stack, caches warm: `vpai start`, by its steps. */
import { closeWorld } from "../sandbox/supervisor/client.ts";
import { type Bench, benchmark, load, report, start } from "./support/bench.ts";
import { renderTimes, summarise } from "./support/statistics.ts";
import { stepTimes } from "./support/steps.ts";

const RUNS = 3;

async function measure(bench: Bench): Promise<void> {
  const times = new Map<string, number[]>();
  const add = (title: string, ms: number): unknown => times.set(title, [...(times.get(title) ?? []), ms]);
  const before = load();
  for (let run = 1; run <= RUNS; run += 1) {
    report(`run ${run} of ${RUNS}`);
    const { output, ms } = await start(bench);
    for (const [step, took] of stepTimes(output)) add(step, took);
    add("all of `vpai start`", ms);
    const from = performance.now();
    await closeWorld(bench.instance, report);
    add("removal", performance.now() - from);
  }
  process.stdout.write(
    [
      "",
      "From no server to a converged stack, wall time:",
      "",
      renderTimes([...times].map(([title, samples]) => [title, summarise(samples)])),
      "",
      `load average before ${before}, after ${load()}`,
      "",
    ].join("\n"),
  );
}

await benchmark("bench-up", measure);
