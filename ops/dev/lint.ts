import { readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { staleFiles } from "./derived.ts";
import { projectFiles } from "./files.ts";
import { findImportCycles } from "./import-cycles.ts";
import { findReplacedWords } from "./terminology.ts";
import { duration } from "../engine/progress.ts";
import { createScreen, type Screen } from "../stack/terminal.ts";
import { ensureTools } from "../stack/packages.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** What the tools remember of files that did not change; `npm ci` removes it. */
const CACHE = join(PROJECT_ROOT, "node_modules/.cache/vpai-lint");

/** Go builds it once, and keeps it. */
const ACTIONLINT = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.12";

/** A check that is a tool of its own. */
interface Tool {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** True for a tool that says what is wrong by printing it, and exits 0. */
  readonly silentWhenGood?: boolean;
  /** The Debian package that brings it. */
  readonly debian?: string;
  /** Where else to get it; absent for what `npm ci` brings. */
  readonly install?: string;
}

/** Shell scripts by their ending or, without one, by their first line. */
async function shellScripts(): Promise<string[]> {
  const files = (await projectFiles()).filter((file) => [".sh", ""].includes(extname(file)));
  const texts = await Promise.all(files.map((file) => readFile(join(PROJECT_ROOT, file), "utf8")));
  return files.filter((file, i) => file.endsWith(".sh") || /^#!.*\b(ba)?sh\n/.test(texts[i] ?? ""));
}

async function tools(): Promise<Tool[]> {
  const tool = (path: string): string => join(PROJECT_ROOT, "node_modules", path);
  const scripts = await shellScripts();
  const go = await projectFiles(".go");
  return [
    {
      name: "types",
      command: process.execPath,
      args: [tool("typescript/bin/tsc"), "--noEmit", "--incremental", "--tsBuildInfoFile", join(CACHE, "tsc")],
    },
    { name: "eslint", command: process.execPath, args: [tool("eslint/bin/eslint.js"), ".", "--max-warnings", "0"] },
    {
      name: "prettier",
      command: process.execPath,
      args: [
        tool("prettier/bin/prettier.cjs"),
        "--check",
        "--log-level",
        "warn",
        "--cache",
        "--cache-location",
        join(CACHE, "prettier"),
        ".",
      ],
    },
    { name: "shellcheck", command: "shellcheck", args: scripts, debian: "shellcheck" },
    { name: "gofmt", command: "gofmt", args: ["-l", ...go], silentWhenGood: true, install: "Go: https://go.dev/dl" },
    { name: "workflows", command: "go", args: ["run", ACTIONLINT], install: "Go: https://go.dev/dl" },
  ];
}

/** What is wrong, as its tool says it; undefined if nothing is. A missing tool is an error too. */
async function toolFinds(check: Tool, screen: Screen): Promise<string | undefined> {
  const { command, args, silentWhenGood, debian, install } = check;
  if (debian !== undefined) {
    await ensureTools([[command, debian]], "`vpai lint`", (line) => screen.line(`  ${line}`));
  }
  const { exitCode, all } = await execa(command, args, {
    cwd: PROJECT_ROOT,
    reject: false,
    all: true,
    stdin: "ignore",
  });
  if (exitCode === undefined) return `${command} is not installed: ${install ?? "run npm ci"}`;
  return exitCode === 0 && (silentWhenGood !== true || all === "") ? undefined : all;
}

interface Check {
  readonly name: string;
  /** What is wrong; undefined if nothing is. */
  readonly run: () => Promise<string | undefined>;
}

async function derivedFinds(write: boolean): Promise<string | undefined> {
  const stale = await staleFiles(write);
  return stale.length === 0 ? undefined : `${stale.join(", ")}: out of date; run \`./vpai lint --write\``;
}

/** `vpai lint`: exits 1 if any check finds something or cannot run. The tools run side by side. */
export async function runLint(write: boolean): Promise<void> {
  const screen = createScreen();
  const outcomes = [await runCheck({ name: "derived files", run: () => derivedFinds(write) }, screen)];
  const checks: Check[] = [
    { name: "import cycles", run: async () => (await findImportCycles()).join("\n") || undefined },
    { name: "terminology", run: async () => (await findReplacedWords()).join("\n") || undefined },
    ...(await tools()).map((tool) => ({ name: tool.name, run: () => toolFinds(tool, screen) })),
  ];
  outcomes.push(...(await Promise.all(checks.map((check) => runCheck(check, screen)))));
  process.exitCode = outcomes.every((good) => good) ? 0 : 1;
}

/** Reports the outcome of a check; true if it found nothing. */
async function runCheck({ name, run }: Check, screen: Screen): Promise<boolean> {
  const from = Date.now();
  const found = await run().catch((error: unknown) => {
    if (error instanceof OperatorError) return error.message;
    throw error;
  });
  screen.line(`${found === undefined ? "✓" : "✗"} ${name} ${duration(Date.now() - from)}`);
  if (found !== undefined) screen.line(found);
  return found === undefined;
}
