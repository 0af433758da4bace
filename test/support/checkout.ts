import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile, copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Where the images come from in these tests: `vpai test --images` says. */
const TEST_IMAGES = process.env["VPAI_TEST_IMAGES"] ?? "built";

/** How a command ended. */
export interface Ended {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined;
  /** What it printed on both streams, as it came. */
  readonly output: string;
  readonly ms: number;
}

/** Longer than anything that a test runs: a first start may have to make images. */
const DEADLINE_MS = 25 * 60_000;
/** How long the output of a command that has ended is waited for. */
const OUTPUT_GRACE_MS = 10_000;

/** Files of this clone that git knows or would know, and that exist. */
export async function clonedFiles(): Promise<string[]> {
  const { stdout } = await run(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"],
    { cwd: PROJECT_ROOT },
  );
  return stdout.split("\0").filter((file) => file !== "" && existsSync(join(PROJECT_ROOT, file)));
}

/** A command under way. */
export class Running {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  output = "";
  over = false;

  constructor(child: ChildProcess, title: string) {
    const from = Date.now();
    this.pid = child.pid ?? 0;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => (this.output += text));
    }
    this.ended = this.#wait(child, title).then((code) => {
      this.over = true;
      return { exitCode: code ?? undefined, output: this.output, ms: Date.now() - from };
    });
  }

  /** Its exit code. Nothing waits for ever: neither for its end nor for its output's, which an orphan may hold open. */
  #wait(child: ChildProcess, title: string): Promise<number | null> {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        child.kill("SIGKILL");
        reject(new Error(`${title} has not ended after ${DEADLINE_MS / 60_000} min; its output:\n${this.output}`));
      }, DEADLINE_MS);
      let grace: NodeJS.Timeout | undefined;
      const end = (finish: () => void): void => {
        clearTimeout(late);
        clearTimeout(grace);
        finish();
      };
      child.once("close", (code) => end(() => resolve(code)));
      child.once("exit", (code) => (grace = setTimeout(() => end(() => resolve(code)), OUTPUT_GRACE_MS)));
      child.once("error", (error) => end(() => reject(error)));
    });
  }
}

/**
 * A copy of this clone in a folder of its own, as a stranger would have it: files may be edited in it, and its
 * sandbox shares nothing with another's. Only node_modules is the clone's.
 */
export class Checkout {
  readonly dir: string;

  private constructor(dir: string) {
    this.dir = dir;
  }

  /** @param at – where; by default in a new folder */
  static async make(at?: string): Promise<Checkout> {
    if (at !== undefined) await mkdir(at);
    const dir = await realpath(at ?? (await mkdtemp(join(tmpdir(), "vpai-checkout-"))));
    for (const file of await clonedFiles()) {
      await mkdir(dirname(join(dir, file)), { recursive: true });
      await copyFile(join(PROJECT_ROOT, file), join(dir, file));
    }
    await symlink(join(PROJECT_ROOT, "node_modules"), join(dir, "node_modules"));
    // Git's index remembers the files as they are now.
    for (const args of [
      ["init", "--quiet"],
      ["add", "--all"],
    ])
      await run("git", args, { cwd: dir });
    return new Checkout(dir);
  }

  /** The one that was made there. */
  static async at(dir: string): Promise<Checkout> {
    return new Checkout(await realpath(dir));
  }

  /** Files that differ from what they were when they were last saved or restored; all of them are saved when it is made. */
  async changedFiles(): Promise<string[]> {
    const args = ["ls-files", "--modified", "--deleted", "--others", "--exclude-standard", "--deduplicate"];
    const { stdout } = await run("git", args, { cwd: this.dir });
    return stdout.split("\n").filter(Boolean);
  }

  /** Saves the files as they are now; {@link restoreFiles} takes what it returns. Not what git ignores: node_modules, .vpai. */
  async saveFiles(): Promise<string> {
    await run("git", ["add", "--all"], { cwd: this.dir });
    return (await run("git", ["write-tree"], { cwd: this.dir })).stdout.trim();
  }

  /** Puts the files back as they were saved. */
  async restoreFiles(saved: string): Promise<void> {
    await run("git", ["read-tree", saved], { cwd: this.dir });
    await run("git", ["checkout-index", "--force", "--all"], { cwd: this.dir });
    await run("git", ["clean", "--force", "-d", "--quiet"], { cwd: this.dir });
  }

  /** Starts a program in the checkout, without a terminal. */
  start(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    const child = spawn(file, args, {
      cwd: this.dir,
      env: { ...process.env, CI: "true", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    return new Running(child, [file, ...args].join(" "));
  }

  /** Starts `vpai …`. */
  startVpai(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
    // Not by a probe: what a test runs on must not depend on the network of the day.
    const images = args.includes("--images") ? [] : ["--images", TEST_IMAGES];
    const publishes = args[0] === "start" || (args[0] === "sandbox" && args[1] === "up");
    const more = publishes ? images : [];
    return this.start(process.execPath, [join(this.dir, "bin/vpai.js"), ...args, ...more], env);
  }

  /** Runs `vpai …` to its end, whatever that is. */
  vpai(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.startVpai(args, env).ended;
  }

  run(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
    return this.start(file, args, env).ended;
  }

  /** Like {@link vpai}; fails with all its output unless it exits 0. */
  async expectVpai(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { exitCode, output } = await this.vpai(args, env);
    if (exitCode !== 0) throw new Error(`vpai ${args.join(" ")} ended with ${exitCode}:\n${output}`);
    return output;
  }

  /** Changes a file's text; fails where the change changes nothing. */
  async edit(file: string, change: (text: string) => string): Promise<void> {
    const before = await readFile(join(this.dir, file), "utf8");
    const after = change(before);
    if (after === before) throw new Error(`${file}: the edit changed nothing`);
    await writeFile(join(this.dir, file), after);
  }

  /** Takes its sandbox down, then the copy itself. */
  async remove(): Promise<void> {
    await this.expectVpai(["sandbox", "down"]);
    await rm(this.dir, { recursive: true });
  }
}
