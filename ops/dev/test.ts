import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { projectFiles } from "./files.ts";
import { duration } from "../engine/progress.ts";
import { createScreen, type Screen } from "../stack/terminal.ts";
import {
  addTallies,
  chosenLayers,
  failedTests,
  type JestRun,
  jestRuns,
  type JestSummary,
  type Layer,
  slowestFiles,
  type Tally,
  tallyGo,
  tallyJest,
} from "./test-plan.ts";
import { ensureDocker } from "../../toolchain/docker.ts";
import { ensureToolchain } from "../../toolchain/toolchain.ts";
import { ensureTools, type Tool } from "../stack/packages.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** How long a jest may take to go once its summary is written. */
const GRACE_MS = 15_000;

/** What a layer's tests run besides what the toolchain and the sandbox bring. */
const tools: Readonly<Partial<Record<Layer, readonly Tool[]>>> = {
  unit: [["python3", "python3"]],
  sandbox: [
    ["/usr/bin/hcloud", "hcloud-cli"],
    ["/usr/lib/python3/dist-packages/hcloud", "python3-hcloud"],
    ["ssh", "openssh-client"],
    ["/usr/bin/rclone", "rclone"],
    ["/usr/bin/restic", "restic"],
    ["ps", "procps"],
  ],
  e2e: [
    ["pgrep", "procps"],
    ["/usr/bin/chromium", "chromium"],
    ["/usr/sbin/nft", "nftables"],
    ["/usr/bin/pebble", "pebble"],
    ["age", "age"],
  ],
};

/**
 * `vpai test`. Its last line is `N passed, N failed`.
 *
 * @param stackOnly the stack's tests alone
 */
export async function runTests(words: readonly string[], stackOnly = false): Promise<void> {
  const screen = createScreen();
  const [startedAt, chosen] = [Date.now(), chosenLayers(words, stackOnly)];
  const tallies: Tally[] = [];
  const summaries: JestSummary[] = [];
  const count = (layer: Layer, tally: Tally, from: number): void => {
    screen.line(`── ${layer}: ${tally.passed} passed, ${tally.failed} failed, ${duration(Date.now() - from)}`);
    tallies.push(tally);
  };
  let go: Promise<void> | undefined;
  for (const run of jestRuns(chosen)) {
    const from = Date.now();
    // Parallel to tests that mostly wait.
    if (run.layers.includes("sandbox") && chosen.includes("go")) {
      go = goLayer(screen, count);
      go.catch(() => undefined); // It is awaited below.
    }
    screen.line(`\n── ${run.layers.join(", ")}`);
    for (const layer of run.layers) await provide(layer, (line) => screen.line(`  ${line}`));
    const { summary, leftOpen } = await runJest(run);
    if (summary) summaries.push(summary);
    for (const [at, layer] of run.layers.entries()) {
      const tally = tallyJest(layer, summary ?? { testResults: [] });
      count(layer, leftOpen && at === 0 ? { ...tally, failed: tally.failed + 1 } : tally, from);
    }
  }
  if (chosen.includes("go")) await (go ?? goLayer(screen, count));
  const { passed, failed, empty } = addTallies(tallies);
  for (const layer of empty) screen.line(`! ${layer}: no test was found, and that is a failure`);
  screen.line(["\nslowest files:", ...slowestFiles(summaries, PROJECT_ROOT)].join("\n"));
  const failures = failedTests(summaries, PROJECT_ROOT);
  if (failures.length > 0) screen.line(["\nfailed:", ...failures].join("\n"));
  screen.line(`in ${duration(Date.now() - startedAt)}`);
  process.exitCode = failed === 0 && empty.length === 0 ? 0 : 1;
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
}

async function goLayer(screen: Screen, count: (layer: Layer, tally: Tally, from: number) => void): Promise<void> {
  const from = Date.now();
  count("go", await runGo(screen), from);
}

/** What a layer's tests take for granted on this machine. */
async function provide(layer: Layer, report: (line: string) => void): Promise<void> {
  await ensureTools(tools[layer] ?? [], `the tests of ${layer}`, report);
  // The sandbox brings its own engine up; tests of its parts alone find none on a fresh machine.
  if (layer === "sandbox" || layer === "e2e") await ensureDocker(report);
  // Here its progress is shown, and no test's time limit runs during the build.
  if (layer === "e2e") await ensureToolchain(report);
}

/** What jest says of a run; no summary if it did not come to its end. */
async function runJest({ layers, workers }: JestRun): Promise<{ summary: JestSummary | undefined; leftOpen: boolean }> {
  const folder = await mkdtemp(join(tmpdir(), "vpai-test-"));
  const file = join(folder, "summary.json");
  const jest = join(PROJECT_ROOT, "node_modules/jest/bin/jest.js");
  const order =
    workers === undefined
      ? ["--maxWorkers", "100%"]
      : workers === 1
        ? ["--runInBand"]
        : ["--maxWorkers", String(workers)];
  try {
    const paths = layers.map((layer) => `test/${layer}/`);
    const args = [jest, ...paths, "--json", "--outputFile", file, "--testLocationInResults=false", ...order];
    const running = execa(process.execPath, args, {
      cwd: PROJECT_ROOT,
      reject: false,
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    const stuck = endWhenDone(file, () => running.kill());
    await running;
    const leftOpen = stuck.stop();
    if (!existsSync(file)) return { summary: undefined, leftOpen };
    return { summary: JSON.parse(await readFile(file, "utf8")) as JestSummary, leftOpen };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Ends a jest that has written its summary and does not go: a test left something open, which is a failure, and must
 * not hold up the run for ever.
 */
function endWhenDone(summary: string, end: () => void): { stop(): boolean } {
  let [written, ended] = [0, false];
  const timer = setInterval(() => {
    if (written === 0 && existsSync(summary)) written = Date.now();
    if (written === 0 || ended || Date.now() - written < GRACE_MS) return;
    process.stderr.write("a test left something open: ending jest\n");
    ended = true;
    end();
  }, 500);
  return {
    stop: () => {
      clearInterval(timer);
      return ended;
    },
  };
}

/** Go modules that have tests, each with its packages that have: the others would only be compiled. */
async function testedModules(): Promise<{ module: string; packages: string[] }[]> {
  const files = await projectFiles("go.mod", "_test.go");
  return files
    .filter((file) => file.endsWith("go.mod"))
    .map((file) => dirname(file))
    .map((module) => {
      const tests = files.filter((file) => file.startsWith(`${module}/`) && file.endsWith("_test.go"));
      return { module, packages: [...new Set(tests.map((file) => `./${relative(module, dirname(file))}`))] };
    })
    .filter(({ packages }) => packages.length > 0);
}

async function runGo(screen: Screen): Promise<Tally> {
  const modules = await testedModules();
  if (modules.length > 0 && (await execa("go", ["version"], { reject: false })).exitCode !== 0) {
    throw new OperatorError({
      key: "Go",
      found: "not on PATH",
      fix: "install Go, or leave its tests out: `vpai test unit sandbox`",
    });
  }
  const tallies: Tally[] = [];
  for (const { module, packages } of modules) {
    // As the build does, so that what it compiled is used again.
    const { stdout, stderr, exitCode } = await execa("go", ["test", "-json", "-trimpath", ...packages], {
      cwd: join(PROJECT_ROOT, module),
      reject: false,
      stdin: "ignore",
    });
    const tally = tallyGo(stdout);
    if (tally.failed > 0 || exitCode !== 0) screen.line(failedOutput(stdout) || stderr);
    tallies.push(exitCode !== 0 && tally.failed === 0 ? { ...tally, failed: 1 } : tally);
  }
  return modules.length === 0 ? { passed: 0, failed: 0, empty: ["go"] } : { ...addTallies(tallies), empty: [] };
}

function failedOutput(json: string): string {
  return json
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => (JSON.parse(line) as { Output?: string }).Output ?? "")
    .filter((text) => !/^(=== |--- PASS|PASS|ok )/.test(text))
    .join("");
}
