import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { knownStacks, mergeEnv, projectName, requireOwnShell, requireStack } from "../../../ops/stack/context.ts";

const clone = mkdtempSync(join(tmpdir(), "vpai-context-"));
afterAll(() => rmSync(clone, { recursive: true }));
writeFileSync(join(clone, "Pulumi.yaml"), "name: vpai\nruntime: nodejs\n");
for (const stack of ["prod", "sandbox"]) writeFileSync(join(clone, `Pulumi.${stack}.yaml`), "config: {}\n");

describe("the engine's environment", () => {
  const toolchain = { PATH: "/cache/bin:/usr/bin", PULUMI_HOME: "/cache/home" };

  test("is the operator's with the toolchain's over it", () => {
    const user = { PATH: "/usr/bin", HCLOUD_TOKEN: "real", PULUMI_CONFIG_PASSPHRASE_FILE: "/p", EMPTY: undefined };
    expect(mergeEnv(user, toolchain, undefined, ".vpai/prod")).toEqual({
      PATH: "/cache/bin:/usr/bin",
      PULUMI_HOME: "/cache/home",
      HCLOUD_TOKEN: "real",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/p",
      VPAI_WORK: ".vpai/prod",
      PULUMI_DEBUG_COMMANDS: "true",
    });
  });

  test("in a sandbox holds nothing that reaches the world", () => {
    const user = {
      HCLOUD_TOKEN: "real",
      HCLOUD_ENDPOINT: "https://api.hetzner.cloud/v1",
      PULUMI_CONFIG_PASSPHRASE_FILE: "/p",
      PULUMI_BACKEND_URL: "s3://b",
    };
    const world = {
      HCLOUD_TOKEN: "simulated",
      HCLOUD_ENDPOINT: "http://10.213.0.1:8080/v1",
      PULUMI_BACKEND_URL: "file:///s",
      PULUMI_CONFIG_PASSPHRASE: "sandbox",
      VPAI_WORK: ".vpai/try",
    };
    expect(mergeEnv(user, toolchain, world, ".vpai/try")).toEqual({
      ...toolchain,
      ...world,
      PULUMI_DEBUG_COMMANDS: "true",
    });
  });
});

test("stacks are those that have a file", () => {
  expect(knownStacks(clone)).toEqual(["prod", "sandbox"]);
  expect(projectName(clone)).toBe("vpai");
  expect(() => requireStack("prod", clone)).not.toThrow();
});

test("an unknown stack is refused with those there are", () => {
  expect(() => requireStack("nope", clone)).toThrow(
    "--stack: nope\n  allowed: prod, sandbox\n  do: choose one of them, or make Pulumi.nope.yaml (Pulumi.prod.yaml is a pattern)",
  );
});

test("a real stack is refused in a shell that has a sandbox's environment", () => {
  const env = { VPAI_SANDBOX_GATEWAY: "10.213.0.1", HCLOUD_ENDPOINT: "http://10.213.0.1:8080/v1" };
  expect(() => requireOwnShell("prod", env)).toThrow(
    "HCLOUD_ENDPOINT: http://10.213.0.1:8080/v1, a sandbox's: this shell has evaluated `vpai sandbox env`\n" +
      "  allowed: an environment of its own for --stack prod\n  do: run the command in another shell",
  );
  expect(() => requireOwnShell("sandbox", env)).not.toThrow();
  expect(() => requireOwnShell("prod", { HCLOUD_ENDPOINT: "https://hetzner.example.com/v1" })).not.toThrow();
});
