import { describe, expect, test } from "@jest/globals";
import { renderFaults } from "../../../shared/errors.ts";
import {
  DISK_COLD_BYTES,
  MEMORY_BYTES,
  checkDisk,
  checkMemory,
  fullDisk,
  freeDisk,
  memory,
} from "../../../toolchain/checks.ts";

describe("what the machine must have", () => {
  test("enough is no fault", () => {
    expect(checkDisk("/c", DISK_COLD_BYTES, DISK_COLD_BYTES)).toEqual([]);
    expect(checkMemory(MEMORY_BYTES)).toEqual([]);
  });

  test("too little disk", () => {
    expect(renderFaults(checkDisk("/c", 2.34e9, 16e9))).toBe(
      "disk at /c: 2.3 GB free\n  allowed: 16.0 GB or more\n" +
        "  do: free some space, or set VPAI_CACHE to a directory on a larger disk",
    );
  });

  test("too little memory", () => {
    expect(renderFaults(checkMemory(1e9, 2e9))).toContain(
      "memory: 1.0 GB\n  allowed: 2.0 GB or more\n  do: use a machine",
    );
  });

  test("is measured, also for a directory that is yet to be made", () => {
    // Somebody else may write meanwhile: the same file system, not the same byte.
    expect(freeDisk("/no/such/directory") / freeDisk("/")).toBeCloseTo(1, 1);
    expect(memory()).toBeGreaterThan(1e8);
  });
});

describe("a full disk", () => {
  const free = (bytes: number) => (path: string) => (path === "/big" ? 1e12 : bytes);
  const enospc = Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" });

  test.each([
    ["an error that says so", enospc, 50e6],
    ["an error whose words say so", new Error("dd: error writing 'x': No space left on device"), 50e6],
    ["any error, where there is next to nothing left", new Error("it ended with 1"), 1e6],
  ])("is behind %s", (_, error, left) => {
    expect(fullDisk(error, ["/big", "/small"], free(left))).toEqual({
      key: "disk at /small",
      found: `full: ${(left / 1e6).toFixed(1)} MB free`,
      fix: "free some space, or set VPAI_CACHE to a directory on a larger disk; what was not finished is made again",
    });
  });

  test("is not behind any other error", () => {
    expect(fullDisk(new Error("it ended with 1"), ["/big", "/small"], free(50e6))).toBeUndefined();
  });
});
