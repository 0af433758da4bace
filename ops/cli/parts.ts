import { Option } from "commander";
import { knownStacks, requireInstance } from "../stack/context.ts";

export const instanceOption = (): Option =>
  new Option("--instance <name>", "sandbox to work on; each has its own server, state and ports")
    .argParser((name: string) => requireInstance(name))
    .default("sandbox");

export const stackOption = (): Option =>
  new Option("--stack <name>", `one of ${knownStacks().join(", ")}`).makeOptionMandatory();

export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
