import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { run, RunError } from "../../../shared/exec.ts";
import { PROJECT_ROOT } from "../../../shared/paths.ts";
import { type Bench, openBench, pins } from "./container-harness.ts";

// The gate against this machine's Docker: what it says of a container that does not become healthy.

let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pins.redis]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

const healthy = ["--health-cmd", "true", "--health-interval", "1s"];

async function gate(container: string): Promise<string> {
  const script = join(PROJECT_ROOT, "files/host/gate.py");
  return run("python3", [script, container, "60", "64"]).then(
    ({ stdout }) => stdout,
    (error: unknown) => {
      if (error instanceof RunError) return error.stderr;
      throw error;
    },
  );
}

test("one that outgrows its limit: the cause, the exit codes and the limit", async () => {
  const options = ["--restart", "always", "--memory", "24m", "--memory-swap", "24m", ...healthy];
  // `tail` keeps what it reads of an endless line.
  const container = await bench.start("greedy", pins.redis, options, ["sh", "-c", "echo starting; tail /dev/zero"]);
  const said = await gate(container);
  expect(said).toMatch(/it restarts again and again/);
  expect(said).toMatch(/it ended with exit code: 137( 137)*\n/);
  expect(said).toContain("out of memory: the kernel killed it at its limit of 24 MB (OOMKilled)");
  expect(said).toMatch(/its last lines:\nstarting/);
}, 120_000);

test("one that ends by itself: its exit code, and nothing of memory", async () => {
  const container = await bench.start(
    "failing",
    pins.redis,
    ["--restart", "always", ...healthy],
    ["sh", "-c", "exit 78"],
  );
  const said = await gate(container);
  expect(said).toMatch(/it ended with exit code: 78( 78)*\n/);
  expect(said).not.toContain("memory");
}, 120_000);
