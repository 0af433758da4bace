import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, EMPTY } from "../support/converged.ts";
import { CORE, keepServices } from "../support/core.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// The engine is killed at moments of a first `up`; each time the next run must converge. What is done before the
// moment's part of the run begins is not done again for each: it is a snapshot.

const MINUTE = 60_000;
const BOOTSTRAPPED = "bootstrapped";
const PULLED = "pulled";
/** With a product that migrates its database when it starts, and that is provisioned afterwards. */
const WITH_LITELLM = [...CORE, "litellm"].toSorted();
/** All ten moments; by default one of each part, because each takes more than a minute. */
const ALL_MOMENTS = process.env["VPAI_TEST_KILLS"] === "all";
/** Parts of a first `up`: where each begins, what the stack has, and the moments in it, as shares of the resources that it creates. */
const PARTS = [
  { name: "the server is made", from: EMPTY, services: CORE, moments: ALL_MOMENTS ? [0, 0.4, 0.8] : [0.8] },
  { name: "images are pulled", from: BOOTSTRAPPED, services: CORE, moments: ALL_MOMENTS ? [0, 0.5] : [0.5] },
  { name: "containers are made", from: PULLED, services: CORE, moments: ALL_MOMENTS ? [0, 0.3, 0.6] : [0.6] },
  {
    name: "a product migrates its database",
    from: PULLED,
    services: WITH_LITELLM,
    moments: ALL_MOMENTS ? [0.6, 0.8] : [0.8],
  },
] as const;
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;
/** Resources that each part creates. */
const steps = new Map<string, number>();

beforeAll(async () => {
  server = await ConvergedServer.open(EMPTY);
  ({ checkout, stack } = server);
  await keepServices(checkout, CORE);
  const [made, pulled] = [PARTS[0].name, PARTS[1].name];
  const upTo = async (...components: readonly string[]): Promise<number> => {
    const targets = components.flatMap((name) => ["--target", `**::${name}`, "--target", `**::${name}-*`]);
    return created(await checkout.expectVpai(["up", "--stack", "sandbox", "--", ...targets]));
  };
  steps.set(made, await upTo("vps", "host", "secrets"));
  await server.snapshot(BOOTSTRAPPED);
  await keepServices(checkout, WITH_LITELLM);
  steps.set(pulled, await upTo("vps", "host", "secrets", "images"));
  await server.snapshot(PULLED);
  for (const { name, services } of PARTS.slice(2)) {
    await keepServices(checkout, services);
    steps.set(name, created(await checkout.expectVpai(["preview", "--stack", "sandbox"])));
  }
}, 30 * MINUTE);

afterAll(() => server.close());

/** Resources whose creation a run's output reports. */
const created = (output: string): number => output.split("\n").filter((line) => /^\s*\+ /.test(line)).length;

/** The engine's process: the `pulumi up` below the command that was started. */
async function enginePid(command: number): Promise<number> {
  // Others ask the state something, and a run goes on without them.
  const { output } = await checkout.run("pgrep", ["-f", "^(\\S*/)?pulumi up "]);
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

for (const { name, from, services, moments } of PARTS) {
  for (const moment of moments) {
    test(
      `killed while ${name}, with ${moment * 100} % of it done, the next \`start\` converges and nothing exists twice`,
      async () => {
        await server.rewind(from);
        await keepServices(checkout, services);
        await killedRun(Math.floor((steps.get(name) ?? 0) * moment));
        await checkout.expectVpai(["start"]);
        for (const kind of ["servers", "ssh_keys", "primary_ips", "firewalls"] as const) {
          // A server brings an IPv6 address of its own, which is removed with it.
          const made = (await stack.hetzner(kind)).filter(({ auto_delete: automatic }) => automatic !== true);
          expect({ kind, names: made.map((each) => each.name) }).toEqual({ kind, names: ["vpai-sandbox"] });
        }
        expect(Object.keys(await stack.containers()).toSorted()).toEqual(services);
        const { deployment } = JSON.parse((await stack.state()).text) as {
          deployment: { pending_operations?: unknown[] };
        };
        expect(deployment.pending_operations ?? []).toEqual([]);
        expect(await checkout.expectVpai(["start"])).toContain("Stack is up to date");
      },
      10 * MINUTE,
    );
  }
}
