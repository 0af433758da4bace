import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { Checkout } from "../support/checkout.ts";
import { CORE, keepCore } from "../support/core.ts";
import { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// The engine is killed at ten moments spread over a first `up`; each time the next run must converge.

const MINUTE = 60_000;
const MOMENTS = 10;
let checkout: Checkout;
let stack: SandboxStack;
let steps: number;

beforeAll(async () => {
  checkout = await Checkout.make();
  await keepCore(checkout);
  stack = new SandboxStack(checkout);
  const output = await checkout.expectVpai(["start"]);
  steps = created(output);
  await checkout.expectVpai(["destroy", "--stack", "sandbox", "--yes"]);
}, 30 * MINUTE);

afterAll(async () => {
  await checkout.remove();
}, 3 * MINUTE);

/** Resources whose creation a run's output reports. */
const created = (output: string): number => output.split("\n").filter((line) => /^\s*\+ /.test(line)).length;

/** The engine's process: the one `pulumi` below the command that was started. */
async function enginePid(command: number): Promise<number> {
  const { output } = await checkout.run("pgrep", ["-x", "pulumi"]);
  for (const pid of output.split("\n").map(Number).filter(Boolean)) {
    for (let at = pid; at > 1;) {
      if (at === command) return pid;
      at = Number((await checkout.run("ps", ["-o", "ppid=", "-p", String(at)])).output.trim() || 0);
    }
  }
  throw new Error(`no engine below process ${command}`);
}

/** Starts `vpai start` and kills the engine with SIGKILL once `after` resources have been created. */
async function killedRun(after: number): Promise<void> {
  const run = checkout.startVpai(["start"]);
  const pid = await until(`${after} resources`, 5 * MINUTE, async () => {
    if (run.over) return 0;
    const engine = await enginePid(run.pid);
    if (created(run.output) < after) throw new Error(`${created(run.output)} so far`);
    return engine;
  });
  if (pid === 0) throw new Error(`the run ended by itself:\n${run.output}`);
  process.kill(pid, "SIGKILL");
  const { exitCode } = await run.ended;
  expect(exitCode).not.toBe(0);
}

for (let moment = 0; moment < MOMENTS; moment++) {
  test(
    `killed at moment ${moment + 1} of ${MOMENTS}, the next \`start\` converges and nothing exists twice`,
    async () => {
      await killedRun(Math.floor((steps * moment) / MOMENTS));
      try {
        await checkout.expectVpai(["start"]);
        for (const kind of ["servers", "ssh_keys", "primary_ips", "firewalls"] as const) {
          // A server brings an IPv6 address of its own, which goes with it.
          const made = (await stack.hetzner(kind)).filter(({ auto_delete: automatic }) => automatic !== true);
          expect({ kind, names: made.map(({ name }) => name) }).toEqual({ kind, names: ["vpai-sandbox"] });
        }
        expect(Object.keys(await stack.containers()).toSorted()).toEqual(CORE);
        const { deployment } = JSON.parse((await stack.state()).text) as {
          deployment: { pending_operations?: unknown[] };
        };
        expect(deployment.pending_operations ?? []).toEqual([]);
        expect(
          await stack.pulumi(["preview", "--expect-no-changes", "--non-interactive", "--stack", "sandbox"]),
        ).toMatch(/unchanged/);
      } finally {
        // The next moment needs a first `up` again.
        await checkout.expectVpai(["destroy", "--stack", "sandbox", "--yes"]);
      }
    },
    10 * MINUTE,
  );
}
