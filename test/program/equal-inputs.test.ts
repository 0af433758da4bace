import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { isSetting, planFingerprint } from "../../ops/deletion/plan-fingerprint.ts";
import type { StackContext } from "../../ops/stack/context.ts";
import { stateFiles } from "../../ops/stack/file-backend.ts";
import { cleanUp, runProgram } from "../support/program.ts";

// What lets a run do without the engine: equal inputs give equal resources, and whatever is an input is in the fingerprint.

afterAll(cleanUp);

/** Everything that the program registers, as text; the work folder is a new one in each run of a test. */
async function registered(stack: string, extra: Readonly<Record<string, unknown>>): Promise<string> {
  const { resources, workFolder } = await runProgram(stack, false, extra);
  return JSON.stringify(resources).replaceAll(workFolder, "<work>");
}

/** Numbers that look random and are the same in every run (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function settings(seed: number): { stack: string; extra: Record<string, unknown> } {
  const next = numbers(seed);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(next() * values.length)] as T;
  const ports = [1, 2].map(() => 20_000 + Math.floor(next() * 9_000));
  return {
    stack: pick(["prod", "preprod", "sandbox"]),
    extra: {
      "vpai:domain": `d${ports[0]}.your.domain`,
      "vpai:timezone": pick(["Europe/Paris", "UTC", "Asia/Tokyo"]),
      "vpai:ssh": { port: ports[1] },
      "vpai:vpnCidrs": pick([[], ["100.64.0.0/10"], ["10.8.0.0/24", "100.64.0.0/10"]]),
      "vpai:disabledServices": pick([[], ["diun"], ["openclaw"], ["cadvisor", "diun"]]),
    },
  };
}

test.each([1, 2, 3])("equal inputs give equal resources: settings %i", async (seed) => {
  const { stack, extra } = settings(seed);
  const first = await registered(stack, extra);
  expect(await registered(stack, extra)).toBe(first);
  expect(await registered(stack, { ...extra, "vpai:domain": "another.your.domain" })).not.toBe(first);
});

test("the program reads no variable that is not in the fingerprint", async () => {
  const env = process.env;
  const read = new Set<string>();
  process.env = new Proxy(env, {
    get(target, key) {
      if (typeof key === "string") read.add(key);
      return Reflect.get(target, key) as unknown;
    },
  });
  try {
    await runProgram("prod");
  } finally {
    process.env = env;
  }
  expect([...read]).toContain("VPAI_WORK");
  // The engine's own settings of its SDK, what Node looks at, and the traces of the parser of this test.
  expect(
    [...read].filter((key) => !isSetting(key) && !/^(PULUMI_|NODE_|LOG_(TOKENS|STREAM)$|TMPDIR$|TMP$|TEMP$)/.test(key)),
  ).toEqual([]);
});

const root = mkdtempSync(join(tmpdir(), "vpai-inputs-"));
afterAll(() => rmSync(root, { recursive: true }));

const FILES = [
  "index.ts",
  "Pulumi.yaml",
  "Pulumi.prod.yaml",
  "package.json",
  "package-lock.json",
  "components/images.ts",
  "components/services/n8n/service.ts",
  "files/host/inspect.py",
  "shared/errors.ts",
  "stacks/plan.ts",
  "toolchain/go.ts",
  "ops/drift/compare.ts",
  "ops/fast-path/decide.ts",
  "work/images.json",
  "state/.pulumi/stacks/vpai/prod.json",
];

function made(folder: string, changed?: string): string {
  for (const path of FILES) {
    mkdirSync(dirname(join(root, folder, path)), { recursive: true });
    writeFileSync(join(root, folder, path), path === changed ? "another" : "text");
  }
  return join(root, folder);
}

function fingerprint(clone: string, env: Record<string, string> = {}): string | undefined {
  const backend = "file:///state";
  const files = stateFiles(`file://${join(clone, "state")}`, "vpai", "prod");
  const context: StackContext = {
    stack: "prod",
    workDir: join(clone, "work"),
    relativeWorkDir: "work",
    env: { PULUMI_BACKEND_URL: backend, ...env },
    ...(files && { files }),
  };
  return planFingerprint(context, clone);
}

test.each(FILES)("another text of %s is another fingerprint", (path) => {
  const clone = made("same");
  const before = fingerprint(clone);
  expect(before).toMatch(/^[0-9a-f]{64}$/);
  expect(fingerprint(clone)).toBe(before);
  made("same", path);
  expect(fingerprint(clone)).not.toBe(before);
});

test("a file more, one moved, a variable that counts are another fingerprint; a variable that does not is none", () => {
  const clone = made("more");
  const before = fingerprint(clone);
  expect(fingerprint(clone, { LANG: "C", PATH: "/bin" })).toBe(before);
  for (const name of ["VPAI_PUBLIC_PORT", "HCLOUD_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"])
    expect(fingerprint(clone, { [name]: "x" })).not.toBe(before);
  cpSync(join(clone, "components/images.ts"), join(clone, "components/moved.ts"));
  expect(fingerprint(clone)).not.toBe(before);
});
