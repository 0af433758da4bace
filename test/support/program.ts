import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";
import { imagePins } from "../../stacks/catalogue.ts";
import { deploy } from "../../stacks/deploy.ts";
import type { Outputs } from "../../stacks/outputs.ts";
import { type Recorded, record } from "./mocks.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

export const STACKS = ["prod", "preprod", "sandbox"] as const;

/** A token that must be in no plain text. */
export const TOKEN = "0123456789abcdef".repeat(4);
export const ANTHROPIC_KEY = "sk-ant-the-anthropic-key-of-this-test-0123456789";

const asText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value));

/** A stack's configuration as the engine would hand it over: the stack's file above the project's defaults. */
export function configOf(stack: string, extra: Readonly<Record<string, unknown>> = {}): Record<string, string> {
  const read = (name: string): { config: Record<string, unknown> } =>
    parse(readFileSync(join(PROJECT_ROOT, name), "utf8")) as never;
  const defaults = Object.entries(read("Pulumi.yaml").config).flatMap(([key, declared]) => {
    const value = (declared as { default?: unknown }).default;
    return value === undefined ? [] : [[key, value] as const];
  });
  const own = Object.entries(read(`Pulumi.${stack}.yaml`).config);
  return Object.fromEntries(
    [...defaults, ...own, ...Object.entries(extra)].map(([key, value]) => [key, asText(value)]),
  );
}

export interface Run {
  readonly resources: readonly Recorded[];
  readonly outputs: Outputs;
  /** Files that the run left in its work folder's ssh/. */
  readonly workFolder: string;
}

/** Runs the whole program for a stack on mocks. The work folder is removed by {@link cleanUp}. */
export async function runProgram(
  stack: string,
  preview = false,
  extra: Readonly<Record<string, unknown>> = {},
): Promise<Run> {
  const workFolder = mkdtempSync(join(tmpdir(), "vpai-program-"));
  folders.push(workFolder);
  const lock = Object.fromEntries(Object.values(imagePins()).map((pin) => [pin, pin]));
  writeFileSync(join(workFolder, "images.json"), JSON.stringify(lock));
  process.env["VPAI_WORK"] = workFolder;
  const finish = await record(stack, preview);
  pulumi.runtime.setAllConfig(
    {
      ...configOf(stack),
      ...ownDomain(stack),
      "vpai:hetznerToken": TOKEN,
      "vpai:anthropicApiKey": ANTHROPIC_KEY,
      ...mapped(extra),
    },
    ["vpai:hetznerToken", "vpai:anthropicApiKey", "vpai:openaiApiKey", "vpai:rootPassword"],
  );
  const outputs = deploy();
  return { resources: await finish(), outputs, workFolder };
}

/** The placeholder in the files of real stacks is refused. */
const ownDomain = (stack: string): Record<string, string> =>
  stack === "sandbox" ? {} : { "vpai:domain": `${stack}.your.domain` };

const mapped = (extra: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(extra).map(([key, value]) => [key, asText(value)]));

const folders: string[] = [];

export function cleanUp(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  delete process.env["VPAI_WORK"];
}
