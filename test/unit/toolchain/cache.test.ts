import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { cacheDir, cacheEntry, cachePath, contentKey } from "../../../toolchain/cache.ts";
import { useScratch } from "./fixtures.ts";

describe("the cache", () => {
  useScratch();

  test.each([
    [{ VPAI_CACHE: "/a", XDG_CACHE_HOME: "/b" }, "/a"],
    [{ XDG_CACHE_HOME: "/b" }, "/b/vpai"],
    [{}, join(homedir(), ".cache/vpai")],
  ])("lies by %j in %s", (env, expected) => {
    expect(cacheDir(env)).toBe(expected);
  });

  test("names contents: the same parts the same, any other another", () => {
    expect(contentKey("ab", "c")).toBe(contentKey("ab", "c"));
    expect(new Set([contentKey("ab", "c"), contentKey("a", "bc"), contentKey("abc")]).size).toBe(3);
    expect(contentKey("x")).toMatch(/^[0-9a-f]{16}$/);
  });

  test("makes an entry once", async () => {
    let builds = 0;
    const build = (directory: string): Promise<void> => {
      builds += 1;
      writeFileSync(join(directory, "file"), "whole");
      return Promise.resolve();
    };
    const made = await Promise.all([1, 2, 3].map(() => cacheEntry("kind", "key", build)));
    expect(builds).toBe(1);
    expect(made.filter((entry) => entry.fresh)).toHaveLength(1);
    expect(readFileSync(join(cachePath("kind", "key"), "file"), "utf8")).toBe("whole");
  });

  test("shows no half-made entry, and leaves nothing of a failed one", async () => {
    const path = cachePath("kind", "key");
    const build = (directory: string): Promise<void> => {
      writeFileSync(join(directory, "half"), "");
      expect(existsSync(path)).toBe(false);
      return Promise.reject(new Error("broken"));
    };
    await expect(cacheEntry("kind", "key", build)).rejects.toThrow("broken");
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  test("builds an entry again that is not intact, and takes one that is", async () => {
    const path = cachePath("kind", "key");
    const file = join(path, "file");
    const entry = () =>
      cacheEntry(
        "kind",
        "key",
        (directory) => Promise.resolve(writeFileSync(join(directory, "file"), "whole")),
        undefined,
        () => Promise.resolve(existsSync(file) && readFileSync(file, "utf8") === "whole"),
      );
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, "of-another-version"), "");
    expect(await entry()).toEqual({ path, fresh: true });
    expect(readdirSync(path)).toEqual(["file"]);
    expect(await entry()).toEqual({ path, fresh: false });
    writeFileSync(file, "wh");
    expect(await entry()).toEqual({ path, fresh: true });
  });

  test("clears away what a killed builder has left", async () => {
    const path = cachePath("kind", "key");
    mkdirSync(`${path}.making-1-x`, { recursive: true });
    mkdirSync(cachePath("kind", "key2.making-1-y"));
    await cacheEntry("kind", "key", () => Promise.resolve());
    expect(readdirSync(dirname(path)).sort()).toEqual(["key", "key2.making-1-y"]);
  });
});
