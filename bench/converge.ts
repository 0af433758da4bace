/**
 * How long it takes until every container of the catalogue is healthy, on a server that has none: our first `up`, server
 * and bootstrap included, and `ansible-playbook` making the same containers on a server that is bootstrapped and whose
 * databases are there.
 */
import { join } from "node:path";
import { SANDBOX } from "../ops/stack/context.ts";
import { openStack } from "../ops/deploy/open.ts";
import { closeWorld } from "../sandbox/supervisor/client.ts";
import { makePlaybook } from "./support/ansible.ts";
import { type Bench, benchmark, load, report, start, VoidMeasurement } from "./support/bench.ts";
import { renderTimes, summarise } from "./support/statistics.ts";
import { stepTimes } from "./support/steps.ts";

const RUNS = 2;

async function measure(bench: Bench): Promise<void> {
  const times = { ours: [] as number[], ansible: [] as number[] };
  let [version, tasks] = ["", 0];
  const before = load();
  for (let run = 1; run <= RUNS; run += 1) {
    report(`run ${run} of ${RUNS}`);
    const { output } = await start(bench);
    const stack = new Map(stepTimes(output)).get("stack");
    if (stack === undefined) throw new VoidMeasurement(`vpai start reported no step "stack":\n${output}`);
    times.ours.push(stack);
    const { context } = await openStack({ stack: SANDBOX, instance: bench.instance }, report);
    const playbook = await makePlaybook(join(context.workDir, "ssh", "config"), bench);
    times.ansible.push(await playbook.converge());
    [version, tasks] = [playbook.version, playbook.tasks.length];
    await playbook.close();
    await closeWorld(bench.instance, report);
  }
  const [ours, ansible] = [summarise(times.ours), summarise(times.ansible)];
  process.stdout.write(
    [
      "",
      "From nothing to every container healthy, images in the local registry, wall time:",
      "",
      renderTimes([
        ["ours: from no server at all", ours],
        [`ansible-playbook, ${tasks} tasks, from a bootstrapped server with its databases`, ansible],
      ]),
      "",
      `ansible / ours: ${(ansible.median / ours.median).toFixed(1)}`,
      `load average before ${before}, after ${load()}`,
      `${version}, pipelining, no facts, one connection kept open`,
      "",
    ].join("\n"),
  );
}

await benchmark("bench-converge", measure);
