import { mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { engineArguments } from "../../ops/engine/run.ts";
import { parseEvent } from "../../ops/engine/progress.ts";
import { type Bench, VoidMeasurement } from "./bench.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** A program and its stack, as the engine is called for it. */
export interface Program {
  readonly stack: string;
  /** Folder of the program, absolute. */
  readonly folder: string;
  /** The engine's whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface NoopUp {
  readonly ms: number;
  /** As many as the engine counts, the stack and providers among them. */
  readonly resources: number;
}

async function engine(program: Program, args: readonly string[], signal: AbortSignal): Promise<number> {
  const from = performance.now();
  const { exitCode, all } = await execa("pulumi", args, {
    cwd: program.folder,
    env: { ...program.env },
    extendEnv: false,
    stdin: "ignore",
    all: true,
    reject: false,
    cancelSignal: signal,
  });
  signal.throwIfAborted();
  if (exitCode !== 0)
    throw new VoidMeasurement(`pulumi ${args[0]} of ${program.stack} ended with ${exitCode}:\n${all}`);
  return performance.now() - from;
}

/** One `up`, called as `vpai up` calls it. Void when it changes anything. */
export async function noopUp(program: Program, { folder, signal }: Bench): Promise<NoopUp> {
  const events = join(folder, "events.jsonl");
  await writeFile(events, "", { mode: 0o600 });
  const ms = await engine(program, engineArguments("up", program.stack, events), signal);
  const summary = (await readFile(events, "utf8"))
    .split("\n")
    .flatMap((line) => parseEvent(line)?.summaryEvent ?? [])
    .at(-1);
  const { same = 0, ...changes } = summary?.resourceChanges ?? {};
  if (same === 0 || Object.keys(changes).length > 0) {
    throw new VoidMeasurement(`up of ${program.stack} was no no-op: ${JSON.stringify(summary ?? "no summary")}`);
  }
  return { ms, resources: same };
}

/**
 * The floor: a program of one resource that is there already, with the runtime options, the state backend and the
 * environment of ours.
 */
export async function makeFloor(ours: Program, bench: Bench): Promise<Program> {
  const folder = join(bench.folder, "floor");
  await mkdir(folder);
  const { runtime, main } = parse(await readFile(join(PROJECT_ROOT, "Pulumi.yaml"), "utf8")) as Record<string, unknown>;
  await writeFile(join(folder, "Pulumi.yaml"), stringify({ name: "floor", runtime, main }));
  // The runtime's options name a file in it.
  await symlink(join(PROJECT_ROOT, "stacks"), join(folder, "stacks"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "floor", type: "module" }));
  await writeFile(
    join(folder, "index.ts"),
    'import * as random from "@pulumi/random";\n\nnew random.RandomPassword("only", { length: 16 });\n',
  );
  await symlink(join(PROJECT_ROOT, "node_modules"), join(folder, "node_modules"));
  const floor = { stack: "floor", folder, env: ours.env };
  const init = ["stack", "init", floor.stack, "--no-select", "--secrets-provider", "passphrase", "--non-interactive"];
  await engine(floor, init, bench.signal);
  const events = join(folder, "events.jsonl");
  await engine(floor, engineArguments("up", floor.stack, events), bench.signal);
  await rm(events);
  return floor;
}
