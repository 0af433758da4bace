import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "@jest/globals";
import { vpai, VpaiProcess } from "../../support/vpai.ts";

const cache = mkdtempSync(join(tmpdir(), "vpai-cache-"));
const command = new VpaiProcess();
afterAll(() => {
  command.close();
  rmSync(cache, { recursive: true });
});
const env = { VPAI_CACHE: join(cache, "never-made") };

describe("what cannot be meant is refused at once, and nothing is made", () => {
  test.each<[string, string[], string[]]>([
    ["no command's name", ["nonsense"], ["unknown command 'nonsense'"]],
    ["an unknown option", ["start", "--verbos"], ["unknown option '--verbos'", "Did you mean --verbose?"]],
    [
      "a verb without its stack",
      ["up"],
      ["required option '--stack <name>' not specified", "allowed: ", "--stack prod"],
    ],
    [
      "a stack without a file",
      ["up", "--stack", "nope"],
      ["--stack: nope", "allowed: ", "sandbox", "Pulumi.nope.yaml"],
    ],
    [
      "a stack named without --stack",
      ["up", "--stack", "prod", "prod"],
      ["vpai up: prod", "do: did you mean `./vpai up --stack prod`?"],
    ],
    [
      "an instance of a real stack",
      ["up", "--stack", "prod", "--instance", "x", "--yes"],
      ["--instance: x, with stack prod", "only with --stack sandbox"],
    ],
    [
      "an instance called as a stack, whose folder would go with it",
      ["sandbox", "down", "--instance", "prod"],
      ["--instance: prod", "allowed: ", "preprod, prod", "do: "],
    ],
    ["an instance with a bad name", ["sandbox", "status", "--instance", "No_Good"], ["sandbox instance: No_Good"]],
    [
      "a sandbox that is not up",
      ["sandbox", "env", "--instance", "never-up"],
      ["sandbox never-up: not up", "vpai start --instance never-up"],
    ],
    [
      "a login to a stack that is not up",
      ["ssh", "--instance", "never-up"],
      [".vpai/never-up/ssh/config: no such file", "do: run `./vpai start --instance never-up`"],
    ],
    ["the engine without a word for it", ["pulumi", "--stack", "prod"], ["missing required argument 'arguments'"]],
    [
      "the engine's option before `--`",
      ["pulumi", "--stack", "prod", "stack", "--show-urns"],
      ["'--show-urns'", "--help"],
    ],
    [
      "the engine on a stack without a file",
      ["pulumi", "--stack", "nope", "--", "config"],
      ["--stack: nope", "allowed: ", "Pulumi.nope.yaml"],
    ],
    [
      "the plain engine to destroy another stack",
      ["pulumi", "--stack", "sandbox", "--", "destroy", "--stack", "prod"],
      ["--stack after `--`: prod", "allowed: sandbox", "`./vpai destroy --stack prod`"],
    ],
    [
      "an unknown service to bring up alone",
      ["up", "--stack", "sandbox", "--only", "redis,rediss"],
      ["--only: rediss", "allowed: ", "redis, ", "do: name one"],
    ],
    [
      "a service of a real stack that is unknown, before any question",
      ["up", "--stack", "prod", "--only", "nope"],
      ["--only: nope", "allowed: ", "the services of stack prod"],
    ],
    ["a run of no service", ["preview", "--stack", "prod", "--only", ","], ["--only: no service", "allowed: "]],
    [
      "what stays on a server that is deleted",
      ["destroy", "--stack", "sandbox", "--keep"],
      ["--keep: stack sandbox has a server at Hetzner", "allowed: with vpai:vps.provider existing"],
    ],
    [
      "data to delete without a terminal to ask at",
      ["destroy", "--stack", "prod", "--yes", "--with-data"],
      ["--with-data: "],
    ],
    ["a run of some where there is none", ["destroy", "--stack", "prod", "--only", "n8n"], ["unknown option '--only'"]],
    ["images of no stack", ["images", "check"], ["required option '--stack <name>'"]],
    [
      "images of a sandbox that is not up",
      ["images", "check", "--stack", "sandbox", "--instance", "never-up"],
      ["sandbox never-up: not up", "vpai start --instance never-up"],
    ],
    [
      "a prune on a stack that is not up",
      ["images", "prune", "--stack", "sandbox", "--instance", "never-up"],
      [".vpai/never-up/ssh/config: no such file", "do: run `./vpai start --instance never-up`"],
    ],
    ["newer versions of an unknown service", ["images", "update", "rediss"], ["vpai images update: rediss", "redis, "]],
    ["services of a stack without a file", ["services", "--stack", "nope"], ["--stack: nope", "Pulumi.nope.yaml"]],
    ["ports of a stack without a file", ["ports", "--stack", "nope"], ["--stack: nope", "Pulumi.nope.yaml"]],
    ["a purge of nothing", ["purge", "--stack", "prod"], ["required option '--service <name>'"]],
    [
      "a purge of what the stack has",
      ["purge", "--stack", "prod", "--service", "n8n", "--database", "postgres", "--yes"],
      [
        "--service: n8n, which stack prod has",
        "vpai:disabledServices",
        "--database: postgres, which is PostgreSQL's own",
      ],
    ],
    [
      "a purge on a stack that is not up",
      ["purge", "--stack", "sandbox", "--instance", "never-up", "--service", "gone", "--yes"],
      [".vpai/never-up/ssh/config: no such file", "do: run `./vpai start --instance never-up`"],
    ],
    ["an unknown fault", ["sandbox", "fault", "rain"], ["fault: rain", "hetzner-5xx", "registry-slow"]],
    ["a fault without what it needs", ["sandbox", "fault", "no-capacity"], ["fault no-capacity: ", "serverType"]],
    [
      "a fault's setting without a value",
      ["sandbox", "fault", "dead-tag", "image"],
      ["fault dead-tag: image", "key=value"],
    ],
    ["an unknown layer of tests", ["test", "units"], ["'units' is invalid", "unit, components"]],
    ["an unknown benchmark", ["bench", "rain"], ["benchmark: rain"]],
    ["an unknown shell", ["completion", "tcsh"], ["'tcsh' is invalid", "bash, zsh, fish"]],
  ])("%s", async (_name, args, texts) => {
    const { code, output, ms } = await command.run(args, env);
    for (const text of texts) expect(output).toContain(text);
    expect(output).not.toContain("bug in vpai");
    expect(output).not.toMatch(/^ +at /m);
    expect(code).toBe(1);
    expect(ms).toBeLessThan(10_000);
    expect(existsSync(env.VPAI_CACHE)).toBe(false);
    expect(existsSync(".vpai/never-up")).toBe(false);
  });

  test.each([
    ["memory", { VPAI_NEEDED_MEMORY_GB: "1000000" }, "memory: "],
    ["disk", { VPAI_NEEDED_DISK_GB: "1000000" }, "disk at "],
    ["a need that is no number", { VPAI_NEEDED_DISK_GB: "much" }, "VPAI_NEEDED_DISK_GB: much"],
  ])("too little %s", async (_name, more, text) => {
    const { code, output } = await command.run(["start", "--instance", "never-up"], { ...env, ...more });
    expect(output).toContain(text);
    expect(code).toBe(1);
    expect(existsSync(env.VPAI_CACHE)).toBe(false);
    expect(existsSync(".vpai/never-up")).toBe(false);
  });
});

// The others share a process; these show that a process of its own prints and exits the same.
describe("as a process of its own", () => {
  test.each<[string, string[], number, string[]]>([
    [
      "a question without a terminal",
      ["destroy", "--stack", "prod"],
      1,
      ["stdin is not a terminal; cannot ask for confirmation", "vpai preview --stack prod", "--yes"],
    ],
    ["settings before the question", ["up", "--stack", "prod"], 1, ["vpai:domain: ai.example.com", "do:"]],
    ["an unknown option", ["start", "--verbos"], 1, ["unknown option '--verbos'", "Did you mean --verbose?"]],
    ["a question for help", ["--help"], 0, ["Examples:\n"]],
  ])("%s", async (_name, args, exitCode, texts) => {
    const { code, output } = await vpai(args, { env });
    for (const text of texts) expect(output).toContain(text);
    expect(output).not.toContain("bug in vpai");
    expect(code).toBe(exitCode);
  });
});

describe("a person can learn it from its help", () => {
  const commands = [
    "start",
    "up",
    "preview",
    "refresh",
    "destroy",
    "services",
    "ports",
    "images",
    "recover",
    "output",
    "smoke",
    "ssh",
    "purge",
    "pulumi",
    "sandbox",
    "doctor",
    "test",
    "lint",
    "bench",
    "completion",
  ];
  test.each([
    [[]],
    ...commands.map((name) => [[name]]),
    ...["down", "env", "status", "fault", "power-cut"].map((name) => [["sandbox", name]]),
    ...["check", "prune", "update"].map((name) => [["images", name]]),
  ])("`vpai %s --help` shows examples", async (words: string[]) => {
    const { code, stdout } = await command.run([...words, "--help"], env);
    expect(stdout).toContain("Examples:\n");
    expect(code).toBe(0);
  });
});

test("completion scripts are made from the commands as they are", async () => {
  const { stdout, code } = await command.run(["completion", "bash"], env);
  expect(code).toBe(0);
  expect(stdout).toContain('"sandbox") offers="up down env status fault power-cut refresh-offers --help"');
  expect(stdout).toContain('"recover") offers="--stack --instance --force --help"');
  expect(stdout).toContain('"pulumi") offers="--stack --instance --help"');
  expect(stdout).toContain(
    '"up") offers="--stack --instance --only --offline --skip-inspect --full-run --allow-delete --yes --verbose --help"',
  );
  expect(stdout).toContain(
    '"destroy") offers="--stack --instance --allow-delete --keep --with-data --yes --verbose --help"',
  );
  expect(stdout).toContain('"images") offers="check prune update --help"');
  expect(stdout).toContain('"images prune") offers="--stack --instance --dry-run --help"');
  expect(stdout).toContain('"images update") offers="--write --major --help"');
  expect(stdout).toContain('"services") offers="--stack --instance --live --json --help"');
  expect(stdout).toContain('"ports") offers="--stack --json --help"');
  expect(stdout).toContain('"purge") offers="--stack --instance --service --database --yes --help"');
  expect(stdout).toMatch(/--stack\) COMPREPLY=\(\$\(compgen -W "[a-z ]*sandbox/);
});
