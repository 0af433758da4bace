/**
 * How long a run takes that changes nothing, and one that finds a stopped container and starts it: `vpai up` with its
 * inspection, the engine's own `up`, an `up` of a program of one resource (the floor), `ansible-playbook` and Docker Compose
 * over the same containers on the same server through the same SSH configuration.
 */
import { join } from "node:path";
import { SANDBOX } from "../ops/stack/context.ts";
import { openStack } from "../ops/deploy/open.ts";
import { makePlaybook } from "./support/ansible.ts";
import { type Compose, makeCompose } from "./support/compose.ts";
import { onHost, type Ssh } from "./support/host.ts";
import { type Bench, benchmark, load, report, start, up, VoidMeasurement } from "./support/bench.ts";
import { makeFloor, noopUp, type Program } from "./support/engine.ts";
import { compare, renderTimes, renderVerdict, summarise, type Times } from "./support/statistics.ts";
import { PROJECT_ROOT } from "../shared/paths.ts";

const RUNS = 5;
/** A service that nothing waits for. */
const STOPPED = "redis-exporter";

async function measure(bench: Bench): Promise<void> {
  await start(bench);
  const { context, world } = await openStack({ stack: SANDBOX, instance: bench.instance }, report);
  const ours: Program = { stack: context.stack, folder: PROJECT_ROOT, env: context.env };
  const floor = await makeFloor(ours, bench);
  const sshConfig = join(context.workDir, "ssh", "config");
  const playbook = await makePlaybook(sshConfig, bench);
  const compose = await makeCompose(sshConfig, bench);
  const inspected = await measureInspected(bench, onHost(sshConfig, bench.signal));
  const times = { ours: [] as number[], floor: [] as number[], ansible: [] as number[] };

  report("warming up, each once");
  const { resources } = await noopUp(ours, bench);
  const atFloor = (await noopUp(floor, bench)).resources;
  await playbook.run();
  const before = load();
  for (let run = 1; run <= RUNS; run += 1) {
    const ended = await noopUp(ours, bench);
    if (ended.resources !== resources) throw new VoidMeasurement(`${ended.resources} resources after ${resources}`);
    times.ours.push(ended.ms);
    times.floor.push((await noopUp(floor, bench)).ms);
    times.ansible.push(await playbook.run());
    report(
      `run ${run} of ${RUNS}: ${[ended.ms, times.floor.at(-1), times.ansible.at(-1)].map((ms) => `${((ms ?? 0) / 1000).toFixed(2)} s`).join(", ")}`,
    );
  }
  const after = load();
  await playbook.verify();
  await playbook.close();
  const composed = await measureCompose(compose);
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
      "A run that changes nothing, wall time:",
      "",
      renderTimes([
        ["ours: vpai up, with its inspection of server and provider", inspected.noop],
        [`docker compose up, ${compose.version}, which looks at containers alone`, composed.noop],
        [`ours: pulumi up, ${resources} resources`, a],
        [`floor: pulumi up, ${atFloor} resources (one password, its provider, the stack)`, b],
        [`ansible-playbook, ${playbook.tasks.length} tasks, changed=0 each time`, c],
        ["ours, the server off", d],
        ["floor, the server off", e],
      ]),
      "",
      `A container that was stopped (${STOPPED}), until it is healthy:`,
      "",
      renderTimes([
        ["ours: vpai up", inspected.repair],
        ["docker compose up --wait", composed.repair],
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

/** `vpai up` as an operator calls it. */
async function measureInspected(bench: Bench, ssh: Ssh): Promise<Inspected> {
  const series = { noop: [] as number[], repair: [] as number[] };
  const wanted = async (words: string): Promise<number> => {
    const { output, ms } = await up(bench);
    if (!output.includes(words)) throw new VoidMeasurement(`vpai up did not say "${words}":\n${output}`);
    return ms;
  };
  for (let run = 1; run <= RUNS; run += 1) series.noop.push(await wanted("no changes"));
  for (let run = 1; run <= RUNS; run += 1) {
    await ssh(`docker stop ${STOPPED}`);
    series.repair.push(await wanted(STOPPED));
  }
  return { noop: summarise(series.noop), repair: summarise(series.repair) };
}

async function measureCompose(compose: Compose): Promise<Inspected> {
  const series = { noop: [] as number[], repair: [] as number[] };
  report(`Compose made it in ${((await compose.converge()) / 1000).toFixed(1)} s`);
  for (let run = 1; run <= RUNS; run += 1) series.noop.push(await compose.noop());
  for (let run = 1; run <= RUNS; run += 1) series.repair.push(await compose.repair(STOPPED));
  await compose.close();
  return { noop: summarise(series.noop), repair: summarise(series.repair) };
}

interface Inspected {
  readonly noop: Times;
  /** With a container stopped before each run. */
  readonly repair: Times;
}

await benchmark("bench", measure);
