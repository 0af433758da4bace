import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "@jest/globals";
import { withLock } from "../../../toolchain/lock.ts";
import { useScratch } from "./fixtures.ts";

const LOCKER = join(__dirname, "locker.ts");

describe("a lock", () => {
  const scratch = useScratch();

  function locker(): { child: ChildProcessWithoutNullStreams; line: () => Promise<string> } {
    const args = ["--disable-warning=ExperimentalWarning", LOCKER, scratch.dir, join(scratch.dir, "log")];
    const child = spawn(process.execPath, args);
    child.stderr.pipe(process.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, line: async () => String((await lines.next()).value) };
  }

  test("lets one process in at a time, and the other knows whom it waits for", async () => {
    const first = locker();
    expect(await first.line()).toBe("in");
    const second = locker();
    expect(await second.line()).toBe(`waits for process ${first.child.pid}`);
    first.child.stdin.end();
    expect(await second.line()).toBe("in");
    second.child.stdin.end();
    await once(second.child, "exit");
    const { pid: one } = first.child;
    const { pid: two } = second.child;
    expect(readFileSync(join(scratch.dir, "log"), "utf8")).toBe(`in ${one}\nout ${one}\nin ${two}\nout ${two}\n`);
  });

  test("of a killed process is free at once", async () => {
    const first = locker();
    expect(await first.line()).toBe("in");
    const second = locker();
    await second.line();
    first.child.kill("SIGKILL");
    expect(await second.line()).toBe("in");
    second.child.stdin.end();
    await once(second.child, "exit");
  });

  test("is given back when the work fails, and gives the work's result", async () => {
    await expect(withLock(scratch.dir, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(await withLock(scratch.dir, () => Promise.resolve(7))).toBe(7);
  });

  test("serves many that want it at once, one after the other", async () => {
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, (inside += 1));
      await new Promise((resume) => setImmediate(resume));
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, () => withLock(scratch.dir, work)));
    expect(most).toBe(1);
  });
});
