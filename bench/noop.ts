/**
 * How long a run takes that changes nothing: our `up`, an `up` of a program of one resource (the floor), and
 * `ansible-playbook` over the same containers on the same server through the same SSH configuration.
 */
import { join } from "node:path";
import { SANDBOX } from "../ops/stack/context.ts";
import { openStack } from "../ops/deploy/open.ts";
import { makePlaybook } from "./support/ansible.ts";
import { type Bench, benchmark, load, report, start, VoidMeasurement } from "./support/bench.ts";
import { makeFloor, noopUp, type Program } from "./support/engine.ts";
import { compare, renderTimes, renderVerdict, summarise } from "./support/statistics.ts";
import { PROJECT_ROOT } from "../shared/paths.ts";

const RUNS = 5;

async function measure(bench: Bench): Promise<void> {
  await start(bench);
  const { context, world } = await openStack({ stack: SANDBOX, instance: bench.instance }, report);
  const ours: Program = { stack: context.stack, folder: PROJECT_ROOT, env: context.env };
  const floor = await makeFloor(ours, bench);
  const playbook = await makePlaybook(join(context.workDir, "ssh", "config"), bench);
  const times = { ours: [] as number[], floor: [] as number[], ansible: [] as number[] };

  report("warming up, each once");
  const { resources } = await noopUp(ours, bench);
  const atFloor = (await noopUp(floor, bench)).resources;
  await playbook.run();
  const before = load();
  for (let run = 1; run <= RUNS; run += 1) {
    const up = await noopUp(ours, bench);
    if (up.resources !== resources) throw new VoidMeasurement(`${up.resources} resources after ${resources}`);
    times.ours.push(up.ms);
    times.floor.push((await noopUp(floor, bench)).ms);
    times.ansible.push(await playbook.run());
    report(
      `run ${run} of ${RUNS}: ${[up.ms, times.floor.at(-1), times.ansible.at(-1)].map((ms) => `${((ms ?? 0) / 1000).toFixed(2)} s`).join(", ")}`,
    );
  }
  const after = load();
  await playbook.verify();
  await playbook.close();
  // The same with the server off: nothing of it is needed, and nothing of it keeps this machine busy.
  await world?.powerCut("vpai-sandbox");
  const quiet = { ours: [] as number[], floor: [] as number[] };
  for (let run = 1; run <= RUNS; run += 1) {
    quiet.ours.push((await noopUp(ours, bench)).ms);
    quiet.floor.push((await noopUp(floor, bench)).ms);
  }

  const [a, b, c] = [summarise(times.ours), summarise(times.floor), summarise(times.ansible)];
  const [d, e] = [summarise(quiet.ours), summarise(quiet.floor)];
  process.stdout.write(
    [
      "",
      "A run that changes nothing, wall time, the three in turn:",
      "",
      renderTimes([
        [`ours: pulumi up, ${resources} resources`, a],
        [`floor: pulumi up, ${atFloor} resources (one password, its provider, the stack)`, b],
        [`ansible-playbook, ${playbook.tasks.length} tasks, changed=0 each time`, c],
        ["ours, the server off", d],
        ["floor, the server off", e],
      ]),
      "",
      renderVerdict(compare(a, b, c, resources)),
      `the server off: ${((d.median - e.median) / resources).toFixed(1)} ms a resource`,
      `load average before ${before}, after ${after}`,
      "",
      `${playbook.version}, pipelining, no facts, one connection kept open; its tasks (× items):`,
      `  ${playbook.tasks.join(" · ")}`,
      "",
    ].join("\n"),
  );
}

await benchmark("bench", measure);
