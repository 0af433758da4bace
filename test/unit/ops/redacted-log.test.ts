import { mkdtempSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { isVerbose, openAnonymousLog, writeRedactedLog, secretsOfState } from "../../../ops/engine/redacted-log.ts";

const secret = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});

test("the flags that make the engine print values are known", () => {
  expect([["-v=9"], ["-v", "9"], ["--verbose=7"], ["-d"], ["--debug"]].map(isVerbose)).toEqual([
    true,
    true,
    true,
    true,
    true,
  ]);
  expect([[], ["--refresh"], ["--diff"], ["--version"]].map(isVerbose)).toEqual([false, false, false, false]);
});

test("a state's secrets are found whole, by line and inside JSON; what is plain is not", () => {
  const state = {
    deployment: {
      resources: [
        { outputs: { plain: "nothing-secret-here", result: secret("a-password-1"), short: secret("tiny") } },
        {
          inputs: {
            key: secret("-----BEGIN-----\nline-of-a-key\n"),
            stdin: secret('{"files":[{"text":"inner-password"}]}'),
          },
        },
        { inputs: { connection: secret({ privateKey: "another-key", port: 22 }) } },
      ],
    },
  };
  expect(secretsOfState(JSON.stringify(state)).toSorted()).toEqual([
    "-----BEGIN-----",
    "-----BEGIN-----\nline-of-a-key",
    "a-password-1",
    "another-key",
    "inner-password",
    "line-of-a-key",
    '{"files":[{"text":"inner-password"}]}',
  ]);
});

test("what is written unseen has no name, and appears without the secrets", () => {
  const folder = mkdtempSync(join(tmpdir(), "vpai-unseen-"));
  const descriptor = openAnonymousLog(join(folder, "log.raw"));
  writeSync(descriptor, "before a-password-1 after\n");
  expect(readdirSync(folder)).toEqual([]);
  writeRedactedLog(descriptor, join(folder, "log"), ["a-password-1"]);
  expect(readFileSync(join(folder, "log"), "utf8")).toBe("before [secret] after\n");
  rmSync(folder, { recursive: true });
});
