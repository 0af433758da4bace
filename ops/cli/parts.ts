import { Option } from "commander";
import { IMAGE_SOURCES } from "../../sandbox/image-sources.ts";
import { knownStacks, requireInstance } from "../stack/context.ts";

/** Printed where the former option is given. */
export const FULL_IS_DEFAULT =
  "--full is deprecated and changes nothing: n8n, OpenClaw and LiteLLM are the products themselves\n";

/** `--full`, which scripts may still give. */
export const fullOption = (): Option => new Option("--full", "deprecated: changes nothing").hideHelp();

export const instanceOption = (): Option =>
  new Option("--instance <name>", "sandbox to work on; each has its own server, state and ports")
    .argParser((name: string) => requireInstance(name))
    .default("sandbox");

export const stackOption = (): Option =>
  new Option("--stack <name>", `one of ${knownStacks().join(", ")}`).makeOptionMandatory();

export const skipInspectOption = (): Option =>
  new Option("--skip-inspect", "do not look for drift on the server first; the run then reports on the state alone");

export const fullRunOption = (): Option =>
  new Option("--full-run", "run the engine even where nothing has changed since the last run");

export const imagesOption = (description: string): Option =>
  new Option("--images <source>", description).choices(IMAGE_SOURCES);

export const offlineOption = (): Option =>
  new Option("--offline", "do not ask the providers whether they take keys that are new");

export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line.replace(/^vpai /, "./vpai ")}`).join("\n")}`;
