import { expect, test } from "@jest/globals";
import { run } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** Serialises a function as a dynamic provider's would be, and says whether the two were loaded before that. */
const PROGRAM = `
  const pulumi = require("@pulumi/pulumi");
  const loaded = () => ["typescript/lib", "@npmcli/arborist"].filter((name) => Object.keys(require.cache).some((file) => file.includes(name)));
  const before = loaded();
  const outside = 42;
  pulumi.runtime.serializeFunction(() => require("node:path").join("a", String(outside)), {}).then(({ text }) =>
    process.stdout.write(JSON.stringify({ before, text })));
`;

async function serialised(flags: readonly string[]): Promise<{ before: string[]; text: string }> {
  const { stdout } = await run(process.execPath, [...flags, "-e", PROGRAM], { cwd: PROJECT_ROOT });
  return JSON.parse(stdout) as { before: string[]; text: string };
}

test("what the SDK loads late is not loaded without need, and serialises a function to the same text", async () => {
  const [late, early] = [await serialised(["--require", "./stacks/sdk-tuning/lazy-sdk.cjs"]), await serialised([])];
  expect(early.before).toEqual(["typescript/lib", "@npmcli/arborist"]);
  expect(late.before).toEqual([]);
  expect(late.text).toContain("42");
  expect(late.text).toBe(early.text);
});
