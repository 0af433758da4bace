import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { PROJECT_ROOT } from "../../../shared/paths.ts";
import { API_KEY, TOKEN } from "../../support/settings/stack-input.ts";
import { VpaiProcess } from "../../support/vpai.ts";

// The table of bad settings is in bad-settings.test.ts; here, that the commands use it and that nothing is started.

let vpai: VpaiProcess;
beforeAll(() => {
  vpai = new VpaiProcess();
});
afterAll(() => vpai.close());

const RIGHT = {
  PULUMI_BACKEND_URL: "file:///tmp",
  PULUMI_CONFIG_PASSPHRASE: "x",
  HCLOUD_TOKEN: TOKEN,
  ANTHROPIC_API_KEY: API_KEY,
};
const cases: readonly (readonly [string, Record<string, string>, readonly string[]])[] = [
  ["the placeholder that Pulumi.prod.yaml has", {}, ["vpai:domain: ai.example.com, which cannot be registered"]],
  ["a backend of an unknown scheme", { PULUMI_BACKEND_URL: "s4://bucket" }, ["PULUMI_BACKEND_URL: s4://bucket"]],
  ["an empty passphrase", { PULUMI_CONFIG_PASSPHRASE: "" }, ["PULUMI_CONFIG_PASSPHRASE: empty"]],
  ["a token of three letters", { HCLOUD_TOKEN: "abc" }, ["HCLOUD_TOKEN: 3 characters"]],
  [
    "several at once",
    { ANTHROPIC_API_KEY: "changeme", VPAI_PUBLIC_PORT: "6000" },
    ["vpai:domain: ai.example.com", "ANTHROPIC_API_KEY: 8 characters", "VPAI_PUBLIC_PORT: 6000"],
  ],
];

const work = join(PROJECT_ROOT, ".vpai/prod");

for (const verb of ["up", "preview"]) {
  test.each(cases)(`${verb}: %s`, async (_name, env, words) => {
    const before = [readFileSync(join(PROJECT_ROOT, "Pulumi.prod.yaml"), "utf8"), existsSync(work)];
    const yes = verb === "up" ? ["--yes"] : [];
    const { code, output } = await vpai.run([verb, "--stack", "prod", ...yes], { ...RIGHT, ...env });
    expect(code).toBe(1);
    for (const word of words) expect(output).toContain(word);
    expect(output).not.toContain(API_KEY);
    expect([readFileSync(join(PROJECT_ROOT, "Pulumi.prod.yaml"), "utf8"), existsSync(work)]).toEqual(before);
  });
}
