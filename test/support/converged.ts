import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { withLock } from "../../toolchain/lock.ts";
import { Checkout, clonedFiles } from "./checkout.ts";
import { keepServices, LIGHT_SERVICES } from "./core.ts";
import { Snapshots } from "./snapshots.ts";
import { SandboxStack, type StateResource } from "./stack.ts";
import { type Watched, watchedRun } from "./watched.ts";

/** Before the first resource: the sandbox is up, its images are published, and its project is empty. */
export const EMPTY = "empty";
/** After the first `start`: every service of the catalogue is healthy. */
export const CONVERGED = "converged";
/** {@link CONVERGED}, and then without the services that take long to start: {@link LIGHT_SERVICES} are healthy. */
export const LIGHT = "light";

type Start = typeof EMPTY | typeof CONVERGED | typeof LIGHT;

/** One checkout a clone, so that its sandbox's names are known after a crash as well. */
const DIR = join(tmpdir(), `vpai-converged-${createHash("sha256").update(PROJECT_ROOT).digest("hex").slice(0, 8)}`);
const USED_BY = `${DIR}.used-by`;
const RECORD = join(DIR, ".vpai/converged.json");
/** Names the snapshot that the server was left as, by a test file that changed nothing. */
const LEFT_AT = join(DIR, ".vpai/left-at");

/**
 * One checkout with one sandbox and one converged server, made by the first test file that needs it and shared by the
 * others, one file at a time. Each file starts from a snapshot, or from a server that proves to be as one; so does each test
 * that breaks something.
 */
export class ConvergedServer {
  readonly checkout: Checkout;
  readonly stack: SandboxStack;
  /** The run that converged it. */
  readonly first: Watched;
  readonly #kept: Kept;
  /** Where each of the file's tests starts. */
  readonly #start: Start;
  readonly #snapshots: Snapshots;
  readonly #release: () => void;
  /** The snapshot that it was last put back to. */
  #at: string | undefined;

  private constructor(checkout: Checkout, kept: Kept, start: Start, release: () => void) {
    this.checkout = checkout;
    this.stack = new SandboxStack(checkout);
    this.first = kept.first;
    this.#kept = kept;
    this.#start = start;
    this.#snapshots = new Snapshots(checkout);
    this.#release = release;
  }

  /** Waits until no other test file uses the server, makes it if there is none of this code, and rewinds it. */
  static async open(start: Start = CONVERGED): Promise<ConvergedServer> {
    const release = await hold();
    try {
      await writeFile(USED_BY, runId());
      const key = await keyOfCode();
      const found = await readRecord();
      const made = found?.key === key ? found : await make(key);
      const server = new ConvergedServer(await Checkout.at(DIR), made, start, release);
      server.#at = made === found ? await leftAt() : CONVERGED;
      await server.reset();
      return server;
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Puts server, sandbox, state, work folder and files of the checkout back to a snapshot: by default the file's own. */
  async rewind(name: string = this.#start): Promise<void> {
    if (name === LIGHT && this.#kept.snapshots[LIGHT] === undefined) return this.#makeLight();
    const { files } = this.#snapshot(name);
    this.#at = undefined;
    await this.checkout.restoreFiles(files);
    await this.#snapshots.restore(name);
    // Any command starts the sandbox's supervisor again.
    await this.checkout.expectVpai(["sandbox", "status"]);
    if (name !== EMPTY) await this.stack.untilHealthy();
    this.#at = name;
  }

  /** Rewinds to where the file started, unless everything is as it was then. For each test to start with. */
  async reset(): Promise<void> {
    if (!(await this.#isAtStart())) await this.rewind();
  }

  /**
   * Puts the checkout's files back, and the rest unless every container is there and healthy, whatever else a test has
   * left. For tests that need no more than a converged server: a rewind takes longer than most of them.
   */
  async resetUnlessHealthy(): Promise<void> {
    const { files, containers } = this.#snapshot(this.#start);
    await this.checkout.restoreFiles(files);
    if (!(await this.#healthy(containers))) await this.rewind();
  }

  /** Whether these containers, by name, are the healthy ones. */
  async #healthy(containers: SnapshotRecord["containers"]): Promise<boolean> {
    const healthy = await this.stack.healthy().catch(() => []);
    return JSON.stringify(healthy) === JSON.stringify(Object.keys(containers).toSorted());
  }

  async #isAtStart(): Promise<boolean> {
    if (this.#at !== this.#start) return false;
    const { checkout, stack } = this;
    const { containers } = this.#snapshot(this.#start);
    const same = async (file: string, part: (text: string) => string): Promise<boolean> => {
      const [now, then] = [join(checkout.dir, ".vpai/sandbox", file), this.#snapshots.file(this.#start, file)];
      return part(await readFile(now, "utf8")) === part(await readFile(then, "utf8"));
    };
    try {
      return (
        (await checkout.changedFiles()).length === 0 &&
        (await same("images.json", (text) => text)) &&
        (await same("hetzner.json", cloudOf)) &&
        (await same(CHECKPOINT, resourcesOf)) &&
        JSON.stringify(await stack.containers()) === JSON.stringify(containers) &&
        (await stack.healthy()).length === Object.keys(containers).length
      );
    } catch {
      // A server or a file is not there: this is not as it was.
      return false;
    }
  }

  #snapshot(name: string): SnapshotRecord {
    const found = this.#kept.snapshots[name];
    if (!found)
      throw new Error(`snapshot ${name}: not found; there are ${Object.keys(this.#kept.snapshots).join(", ")}`);
    return found;
  }

  /** Takes a snapshot of the server as it is now, for this test file. */
  async snapshot(name: string): Promise<void> {
    this.#kept.snapshots[name] = await take(name, this.checkout, name === EMPTY);
    this.#at = name;
  }

  async #makeLight(): Promise<void> {
    const { files, containers } = this.#snapshot(CONVERGED);
    // Whatever tests have left: converging it takes less time than going back first.
    if (await this.#healthy(containers)) await this.checkout.restoreFiles(files);
    else await this.rewind(CONVERGED);
    await keepServices(this.checkout, LIGHT_SERVICES);
    await this.checkout.expectVpai(["sandbox", "fault", "clear"]);
    // Not `up`: another file may have published other images.
    await this.checkout.expectVpai(["start"]);
    await this.stack.untilHealthy();
    await this.checkout.expectVpai(["drift", "--stack", "sandbox"]);
    await this.snapshot(LIGHT);
    await writeRecord(this.#kept);
  }

  /** Lets the next test file have it, which goes back to a snapshot first. */
  close(): void {
    this.#release();
  }

  /** Lets the next test file have it as it is, if its containers, state and cloud prove to be those of the snapshot. */
  async closeUnchanged(): Promise<void> {
    if (this.#at !== undefined) await writeFile(LEFT_AT, this.#at);
    this.#release();
  }
}

/** The snapshot that the last file left the server as; undefined if it may have changed something. Answers once. */
async function leftAt(): Promise<string | undefined> {
  if (!existsSync(LEFT_AT)) return undefined;
  const name = await readFile(LEFT_AT, "utf8");
  await rm(LEFT_AT);
  return name;
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

/** The resources of a checkpoint: what a run that changes nothing leaves as it is. */
function resourcesOf(text: string): string {
  const { latest } = (JSON.parse(text) as { checkpoint: { latest: { resources: StateResource[] } } }).checkpoint;
  return JSON.stringify(latest.resources.map(({ urn, id, inputs }) => ({ urn, id, inputs })));
}

async function make(key: string): Promise<Kept> {
  await removeCheckout();
  const checkout = await Checkout.make(DIR);
  await checkout.expectVpai(["sandbox", "up"]);
  const empty = await take(EMPTY, checkout, true);
  const first = await watchedRun(checkout, ["start", "--verbose"]);
  await new SandboxStack(checkout).untilHealthy();
  const converged = await take(CONVERGED, checkout);
  const made: Kept = { key, first, snapshots: { [EMPTY]: empty, [CONVERGED]: converged } };
  await writeRecord(made);
  return made;
}

async function take(name: string, checkout: Checkout, noServer = false): Promise<SnapshotRecord> {
  await new Snapshots(checkout).take(name);
  const files = await checkout.saveFiles();
  return { files, containers: noServer ? {} : await new SandboxStack(checkout).containers() };
}

async function removeCheckout(): Promise<void> {
  if (!existsSync(DIR)) return;
  const checkout = await Checkout.at(DIR);
  // A checkout that was killed while it was made may not have the command.
  if (existsSync(join(DIR, "node_modules"))) await checkout.remove();
  else await rm(DIR, { recursive: true });
}

/** What a snapshot is besides what {@link Snapshots} keeps. */
interface SnapshotRecord {
  /** As {@link Checkout.saveFiles} returned it. */
  readonly files: string;
  /** Ids of the containers on the server, by name. */
  readonly containers: Readonly<Record<string, string>>;
}

interface Kept {
  readonly key: string;
  readonly first: Watched;
  readonly snapshots: Record<string, SnapshotRecord>;
}

/** What was kept, if it was made to the end. */
async function readRecord(): Promise<Kept | undefined> {
  return existsSync(RECORD) ? (JSON.parse(await readFile(RECORD, "utf8")) as Kept) : undefined;
}

const writeRecord = (kept: Kept): Promise<void> => writeFile(RECORD, JSON.stringify(kept), { mode: 0o600 });

/** A hash of all that a server comes from: every file of the clone but tests and documents. */
async function keyOfCode(): Promise<string> {
  const hash = createHash("sha256").update(`${process.env["VPAI_TEST_IMAGES"]}`);
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
