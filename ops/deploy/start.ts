import { existsSync, readFileSync } from "node:fs";
import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { World } from "../../sandbox/supervisor/client.ts";
import { SANDBOX, type StackContext } from "../stack/context.ts";
import { pulumiOutput, ensureStack, runOperation } from "../engine/run.ts";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { chooseSource, probe } from "../images/source.ts";
import { checkBeforeUp } from "../images/before-up.ts";
import { stackPins } from "../images/stack-images.ts";
import { requireMachine } from "../stack/preflight.ts";
import { duration } from "../engine/progress.ts";
import { createScreen } from "../stack/terminal.ts";
import { StackFile } from "../stack/config-file.ts";
import { openStack, recoverIfNeeded } from "./open.ts";
import { errorContext } from "./operation.ts";
import { MOST_VERBOSE } from "../engine/redacted-log.ts";

interface StartOptions {
  readonly instance: string;
  readonly full: boolean;
  /** Where the images come from. @default as before, else what a probe of the registries finds */
  readonly images: ImageSource | undefined;
  /** Writes the engine's verbose output to the log, without secrets. */
  readonly verbose: boolean;
}

/** `vpai start`: engine, sandbox, images, `up`, links. */
export async function runStart({ instance, full, images, verbose }: StartOptions): Promise<void> {
  const screen = createScreen();
  const startedAt = Date.now();
  const step = async <T>(title: string, work: () => Promise<T>): Promise<T> => {
    const from = Date.now();
    const result = await work();
    screen.line(`✓ ${title} ${duration(Date.now() - from)}`);
    return result;
  };
  const report = (line: string): void => screen.line(`  ${line}`);
  requireMachine();
  const { context, world } = await step("engine and sandbox", () =>
    openStack({ stack: SANDBOX, instance, full }, report),
  );
  if (!world) throw new Error("the sandbox stack has no sandbox");
  await step("images", () => publishImages(context, world, images, report));
  await recoverIfNeeded(context, report);
  await ensureStack(context);
  const succeeded = await checkBeforeUp({ context, world, report });
  const flags = verbose ? MOST_VERBOSE : [];
  const { summary, log } = await step("stack", () =>
    runOperation("up", context, { screen, flags, helpExplain: errorContext(context) }),
  );
  await succeeded();
  const links = await linksOf(context);
  const changed = Object.entries(summary?.changes ?? {}).some(([op, count]) => op !== "same" && count > 0);
  process.stdout.write(renderSummary({ instance, links, log, changed, ms: Date.now() - startedAt }));
}

/** Has each pinned image served by the sandbox and writes the digests that it has there: `images.json`. */
async function publishImages(
  context: StackContext,
  world: World,
  asked: ImageSource | undefined,
  report: (line: string) => void,
): Promise<void> {
  const pins = [...new Set(Object.values(stackPins(StackFile.read(SANDBOX))))].toSorted();
  const { source, line } = await chooseSource(
    { instance: world.name, asked, kept: world.images, hasServers: (await world.inventory()).cloud.servers.length > 0 },
    () => probe(pins, process.env),
  );
  report(line);
  const lock = await world.publish(pins, source, report);
  const text = `${JSON.stringify(lock, undefined, 2)}\n`;
  const file = join(context.workDir, "images.json");
  if (existsSync(file) && readFileSync(file, "utf8") === text) return;
  await writeFile(`${file}.new`, text, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

async function linksOf(context: StackContext): Promise<Record<string, string>> {
  const text = await pulumiOutput(context, ["stack", "output", "--json", "--stack", context.stack]);
  const { links = {} } = JSON.parse(text) as { links?: Record<string, string> };
  return links;
}

interface RunEnd {
  readonly instance: string;
  readonly links: Readonly<Record<string, string>>;
  readonly log: string;
  readonly changed: boolean;
  readonly ms: number;
}

/** The end of `start`'s output: links, credentials, next steps. */
export function renderSummary({ instance, links, log, changed, ms }: RunEnd): string {
  const flag = instance === SANDBOX ? "" : ` --instance ${instance}`;
  const width = Math.max(...Object.keys(links).map((name) => name.length), 0);
  return [
    "",
    `${changed ? "The stack is up" : "Stack is up to date"}, ${duration(ms)}.`,
    "",
    ...Object.entries(links).map(([name, link]) => `  ${name.padEnd(width)}  ${link}`),
    "",
    "The certificates come from the sandbox's own authority: a browser warns, `curl --insecure` does not.",
    `Credentials   npx vpai output --stack sandbox${flag} --show-secrets secrets`,
    `Log in        npx vpai ssh${flag}`,
    `Full output   ${log}`,
    "",
    "To try next:",
    `  npm start${flag === "" ? "" : ` --${flag}`}                      again: nothing changes`,
    `  npx vpai sandbox power-cut${flag}    then npm start`,
    `  npm run sandbox:down${flag === "" ? "" : ` --${flag}`}           removes it all`,
    "",
  ].join("\n");
}
