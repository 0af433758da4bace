import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { withLock } from "../../toolchain/lock.ts";
import { Checkout, clonedFiles } from "./checkout.ts";
import { sampleProcesses, type ProcessSamples } from "./secrets.ts";
import { Snapshots } from "./snapshots.ts";
import { SandboxStack, type StateResource } from "./stack.ts";

/** What could be seen of a run. */
export interface Watched {
  readonly output: string;
  /** The engine's log at its most verbose. */
  readonly log: string;
  readonly processes: ProcessSamples;
}

/** Before the first resource: the sandbox is up, its images are published, and its project is empty. */
export const EMPTY = "empty";
/** After the first `start`: every service of the catalogue is healthy. */
export const CONVERGED = "converged";

/** One checkout a clone, so that its sandbox's names are known after a crash as well. */
const DIR = join(tmpdir(), `vpai-converged-${createHash("sha256").update(PROJECT_ROOT).digest("hex").slice(0, 8)}`);
const USED_BY = `${DIR}.used-by`;
const RECORD = join(DIR, ".vpai/converged.json");

/**
 * One checkout with one sandbox and one converged server, made by the first test file that needs it and shared by the
 * others, one file at a time. Each file starts from a snapshot, and so does each test that breaks something.
 */
export class ConvergedServer {
  readonly checkout: Checkout;
  readonly stack: SandboxStack;
  /** The run that converged it. */
  readonly first: Watched;
  readonly #containers: Kept["containers"];
  readonly #snapshots: Snapshots;
  readonly #release: () => void;

  private constructor(checkout: Checkout, { first, containers }: Kept, release: () => void) {
    this.checkout = checkout;
    this.stack = new SandboxStack(checkout);
    this.first = first;
    this.#containers = containers;
    this.#snapshots = new Snapshots(checkout);
    this.#release = release;
  }

  /** Waits until no other test file uses the server, makes it if there is none of this code, and rewinds it. */
  static async open(start: typeof EMPTY | typeof CONVERGED = CONVERGED): Promise<ConvergedServer> {
    const release = await hold();
    try {
      await writeFile(USED_BY, runId());
      const key = await keyOfCode();
      const kept = await readRecord();
      const fresh = kept?.key !== key;
      const made = fresh ? await make(key) : kept;
      const server = new ConvergedServer(await Checkout.at(DIR), made, release);
      if (!fresh || start !== CONVERGED) await server.rewind(start);
      return server;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Puts server, sandbox, state, work folder and files of the checkout back to a snapshot. */
  async rewind(name: string = CONVERGED): Promise<void> {
    await this.checkout.restoreFiles();
    await this.#snapshots.restore(name);
    // Any command starts the sandbox's supervisor again.
    await this.checkout.expectVpai(["sandbox", "status"]);
    if (name !== EMPTY) await this.stack.untilHealthy();
  }

  /** Rewinds to {@link CONVERGED}, unless everything is as it was then. For each test to start with. */
  async reset(): Promise<void> {
    if (!(await this.#isConverged())) await this.rewind();
  }

  async #isConverged(): Promise<boolean> {
    const { checkout, stack } = this;
    const same = async (file: string, part: (text: string) => string): Promise<boolean> => {
      const [now, then] = [join(checkout.dir, ".vpai/sandbox", file), this.#snapshots.file(CONVERGED, file)];
      return part(await readFile(now, "utf8")) === part(await readFile(then, "utf8"));
    };
    try {
      return (
        (await checkout.changedFiles()).length === 0 &&
        (await same("images.json", (text) => text)) &&
        (await same("hetzner.json", cloudOf)) &&
        (await same(CHECKPOINT, resourcesOf)) &&
        JSON.stringify(await stack.containers()) === JSON.stringify(this.#containers) &&
        (await stack.healthy()).length === Object.keys(this.#containers).length
      );
    } catch {
      // A server that is not there, or a file: whatever it is, it is not as it was.
      return false;
    }
  }

  snapshot(name: string): Promise<void> {
    return this.#snapshots.take(name);
  }

  hasSnapshot(name: string): Promise<boolean> {
    return this.#snapshots.has(name);
  }

  /** Lets the next test file have it. */
  close(): void {
    this.#release();
  }
}

/** The jest that runs this test file: one of its workers, or itself. */
const runId = (): string => process.env["VPAI_TEST_RUN"] ?? String(process.pid);

/** Removes the server and its checkout, if this run of jest was the last to use it. */
export async function removeConverged(): Promise<void> {
  if ((await readFile(USED_BY, "utf8").catch(() => "")) !== runId()) return;
  const release = await hold();
  try {
    await removeCheckout();
    await rm(USED_BY);
  } finally {
    release();
  }
}

const CHECKPOINT = "state/.pulumi/stacks/vpai/sandbox.json";

/** What exists at the simulated Hetzner, without what is only its history. */
function cloudOf(text: string): string {
  const { actions: _actions, nextId: _nextId, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(rest);
}

/** The resources of a checkpoint, without when it was written and by which version. */
function resourcesOf(text: string): string {
  const { latest } = (JSON.parse(text) as { checkpoint: { latest: { resources: StateResource[] } } }).checkpoint;
  return JSON.stringify({ ...latest, resources: latest.resources.map(({ urn, id, inputs }) => ({ urn, id, inputs })) });
}

async function make(key: string): Promise<Kept> {
  await removeCheckout();
  const checkout = await Checkout.make(DIR);
  const snapshots = new Snapshots(checkout);
  // A refused run brings up the sandbox and its images, and makes nothing.
  await checkout.edit("Pulumi.sandbox.yaml", (text) => text.replace("vpai:domain:", "vpai:domian:"));
  const refused = await checkout.vpai(["start"]);
  if (!/vpai:domian/.test(refused.output))
    throw new Error(`a setting that is unknown was not refused:\n${refused.output}`);
  await checkout.restoreFiles();
  await snapshots.take(EMPTY);
  const first = await watchedRun(checkout, ["start", "--verbose"]);
  const stack = new SandboxStack(checkout);
  await stack.untilHealthy();
  await snapshots.take(CONVERGED);
  const made: Kept = { key, first, containers: await stack.containers() };
  await writeFile(RECORD, JSON.stringify(made), { mode: 0o600 });
  return made;
}

/** Runs `vpai` to its end, with what it logs and what every process of this machine shows of itself meanwhile. */
export async function watchedRun(checkout: Checkout, args: readonly string[]): Promise<Watched> {
  const sampler = sampleProcesses();
  const output = await checkout.expectVpai(args).finally(() => sampler.stop());
  const log = await readFile(join(checkout.dir, /full output:? +(\S+)/i.exec(output)?.[1] ?? ""), "utf8");
  return { output, log, processes: await sampler.stop() };
}

async function removeCheckout(): Promise<void> {
  if (!existsSync(DIR)) return;
  const checkout = await Checkout.at(DIR);
  // A checkout that was killed while it was made may not have the command.
  if (existsSync(join(DIR, "node_modules"))) await checkout.remove();
  else await rm(DIR, { recursive: true });
}

interface Kept {
  readonly key: string;
  readonly first: Watched;
  /** Ids by name, at {@link CONVERGED}. */
  readonly containers: Readonly<Record<string, string>>;
}

/** What was kept, if it was made to the end. */
async function readRecord(): Promise<Kept | undefined> {
  return existsSync(RECORD) ? (JSON.parse(await readFile(RECORD, "utf8")) as Kept) : undefined;
}

/** A hash of all that a server comes from: every file of the clone but tests and documents. */
async function keyOfCode(): Promise<string> {
  const hash = createHash("sha256").update(`${process.env["VPAI_TEST_FULL"]} ${process.env["VPAI_TEST_IMAGES"]}`);
  const files = (await clonedFiles()).filter((file) => !/^(test|docs|bench|\.github)\/|\.md$/.test(file));
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(PROJECT_ROOT, file)));
  return hash.digest("hex");
}

/** Waits for the right to use the server; returns what gives it up. */
function hold(): Promise<() => void> {
  return new Promise((held, failed) => {
    const until = new Promise<void>((release) => {
      withLock(DIR, () => {
        held(release);
        return until;
      }).catch(failed);
    });
  });
}
