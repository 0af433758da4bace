import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../../sandbox/supervisor/client.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import { guardedUp } from "../deletion/guarded-up.ts";
import { programFingerprint } from "../deletion/plan-fingerprint.ts";
import { inspectBeforeUp } from "../drift/before-up.ts";
import { readExpected } from "../drift/inspect.ts";
import { rememberConverged } from "../fast-path/remember.ts";
import { pulumiOutput, ensureStack, runOperation, type RunResult } from "../engine/run.ts";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { chooseSource, probe } from "../images/source.ts";
import { checkBeforeUp } from "../images/before-up.ts";
import { pruneAfterRun } from "../images/prune.ts";
import { stackPins } from "../images/stack-images.ts";
import { requireMachine } from "../stack/preflight.ts";
import { duration } from "../engine/progress.ts";
import { createScreen } from "../stack/terminal.ts";
import { StackFile } from "../stack/config-file.ts";
import { requireSettings, stackInput, verifyNewKeys } from "../settings/check.ts";
import { smokeAfterRun } from "../smoke/command.ts";
import { changedSomething } from "../smoke/scope.ts";
import { openStack, recoverIfNeeded } from "./open.ts";
import { errorContext } from "./operation.ts";
import { renderSummary } from "./summary.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";

interface StartOptions {
  readonly instance: string;
  /** Where the images come from. @default as before, else what a probe of the registries finds */
  readonly images: ImageSource | undefined;
  /** Writes the engine's verbose output to the log, without secrets. */
  readonly verbose: boolean;
  /** Leaves out what asks providers about their keys. */
  readonly offline: boolean;
  /** Leaves out the inspection of the server. */
  readonly skipInspect: boolean;
  /** The stack's name: losses that the run announces are wanted. */
  readonly allowDelete?: string | undefined;
}

/** `vpai start`: engine, sandbox, images, `up`, links. */
export async function runStart({
  instance,
  images,
  verbose,
  offline,
  skipInspect,
  allowDelete,
}: StartOptions): Promise<void> {
  const screen = createScreen();
  const startedAt = Date.now();
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const from = Date.now();
    const result = await work();
    screen.line(`✓ ${title} ${duration(Date.now() - from)}`);
    return result;
  };
  const report = (line: string): void => screen.line(`  ${line}`);
  const settings = requireSettings(stackInput(SANDBOX), report);
  requireMachine();
  const { context, world } = await step("engine and sandbox", () => openStack({ stack: SANDBOX, instance }, report));
  if (!world) throw new Error("the sandbox stack has no sandbox");
  if (!offline) await verifyNewKeys(settings, context, world, report);
  const fakes = await step("images", () => publishImages(context, world, images, report));
  await recoverIfNeeded(context, report);
  await ensureStack(context);
  const succeeded = await checkBeforeUp({ context, world, report });
  const program = programFingerprint(context);
  const flags = verbose ? MOST_VERBOSE : [];
  const up = (more: readonly string[]): Promise<RunResult> =>
    runOperation("up", context, { screen, flags: [...flags, ...more], helpExplain: errorContext(context) });
  const server = skipInspect ? undefined : await step("server", () => inspectBeforeUp({ context, report, up }));
  const guarded = { screen, flags: [], verbose, helpExplain: errorContext(context), allowDelete };
  const result = await step("stack", () => guardedUp(context, guarded, server));
  if (!result) return screen.line("nothing was changed");
  const { summary, log } = result;
  await server?.verify();
  await succeeded();
  await smokeAfterRun({ stack: SANDBOX, instance, summary, flags, report: (line) => screen.line(line) });
  await pruneAfterRun({ stack: SANDBOX, instance, summary, report: (line) => screen.line(line) });
  const changed = changedSomething(summary);
  const expected = changed ? await readExpected(context) : server?.expected;
  if (!skipInspect) await rememberConverged(context, expected, program, fakes);
  const links = expected?.links ?? (await linksOf(context));
  process.stdout.write(renderSummary({ instance, links, fakes, log, changed, ms: Date.now() - startedAt }));
}

/** `vpai sandbox up`: engine, sandbox and images, without the stack. */
export async function runSandboxUp(instance: string, images: ImageSource | undefined): Promise<void> {
  const report = (line: string): void => void process.stderr.write(`  ${line}\n`);
  requireMachine();
  const { context, world } = await openStack({ stack: SANDBOX, instance }, report);
  if (!world) throw new Error("the sandbox stack has no sandbox");
  await publishImages(context, world, images, report);
  await ensureStack(context);
}

/**
 * Has each pinned image served by the sandbox and writes the digests that it has there: `images.json`. Answers the
 * services whose image is a fake.
 */
async function publishImages(
  context: StackContext,
  world: World,
  asked: ImageSource | undefined,
  report: (line: string) => void,
): Promise<readonly string[]> {
  const pinned = stackPins(StackFile.read(SANDBOX));
  const pins = [...new Set(Object.values(pinned))].toSorted();
  const { source, line } = await chooseSource(
    { instance: world.name, asked, kept: world.images, hasServers: (await world.inventory()).cloud.servers.length > 0 },
    () => probe(pins, process.env),
  );
  report(line);
  const lock = await world.publish(pins, source, report);
  const text = `${JSON.stringify(lock, undefined, 2)}\n`;
  const file = join(context.workDir, "images.json");
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    await writeFile(`${file}.new`, text, { mode: 0o600 });
    await rename(`${file}.new`, file);
  }
  if (source !== "built") return [];
  const { isFake } = await import("../../sandbox/images/publish.ts");
  return Object.keys(pinned).filter((service) => isFake(pinned[service] ?? ""));
}

async function linksOf(context: StackContext): Promise<Record<string, string>> {
  const text = await pulumiOutput(context, ["stack", "output", "--json", "--stack", context.stack]);
  const { links = {} } = JSON.parse(text) as { links?: Record<string, string> };
  return links;
}
