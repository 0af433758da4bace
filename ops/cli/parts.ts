import { Option } from "commander";
import { IMAGE_SOURCES } from "../../sandbox/image-sources.ts";
import { knownStacks, requireInstance } from "../stack/context.ts";

export const instanceOption = (): Option =>
  new Option("--instance <name>", "sandbox to work on; each has its own server, state and ports")
    .argParser((name: string) => requireInstance(name))
    .default("sandbox");

export const stackOption = (): Option =>
  new Option("--stack <name>", `one of ${knownStacks().join(", ")}`).makeOptionMandatory();

export const imagesOption = (description: string): Option =>
  new Option("--images <source>", description).choices(IMAGE_SOURCES);

export const examples = (...lines: readonly string[]): string =>
  `\nExamples:\n${lines.map((line) => `  ${line}`).join("\n")}`;
