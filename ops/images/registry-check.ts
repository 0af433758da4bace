import { readFileSync } from "node:fs";
import { OperatorError } from "../../shared/errors.ts";
import type { World } from "../../sandbox/supervisor/client.ts";
import { SANDBOX } from "../stack/context.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import type { StackFile } from "../stack/config-file.ts";
import { checkImages, faultsOf, type FaultWords, type Finding, type WantedImage } from "./check.ts";
import type { Platforms } from "./checked-cache.ts";
import { Registries, type RegistryOptions } from "../../shared/registry/client.ts";

/** Where the registries are, and what is asked of the images there. */
export interface Place {
  readonly stack: string;
  readonly file: StackFile;
  /** The sandbox that the stack is in; its registry stands for all of them. */
  readonly world?: Pick<World, "name" | "gateway" | "caFile"> | undefined;
}

/**
 * Asks the registries of a stack for its images.
 *
 * @throws OperatorError with every image and every registry at fault
 */
export async function askForImages(
  { stack, file, world }: Place,
  images: readonly WantedImage[],
  known: Platforms,
  report?: (line: string) => void,
): Promise<Finding[]> {
  const registries = new Registries(world ? throughSandbox(world) : {});
  try {
    const platforms = world ? SANDBOX_PLATFORMS : file.platforms;
    const findings = await checkImages(registries, images, { platforms, known, ...(report && { report }) });
    const words = world ? sandboxWords(world.name) : REAL_WORDS;
    const faults = faultsOf(findings, { replaced: (service) => service in file.images, ...words });
    if (faults.length === 0) return findings;
    throw new OperatorError(faults.map((fault) => ({ ...fault, fix: throughVpai(fault.fix, stack) })));
  } finally {
    await registries.close();
  }
}

/** As the sandbox's servers see them: all at the gateway, under their own names. */
const throughSandbox = ({ gateway, caFile }: Pick<World, "gateway" | "caFile">): RegistryOptions => ({
  through: { address: gateway, ca: readFileSync(caFile, "utf8") },
});

/** The sandbox makes images of this machine's kind. */
const SANDBOX_PLATFORMS: readonly string[] = [process.arch === "arm64" ? "linux/arm64" : "linux/amd64"];

const REAL_WORDS: Pick<FaultWords, "again"> = {
  again: "see that this machine reaches it, and run the same command again; `pulumi up` does without this check",
};

function sandboxWords(instance: string): Pick<FaultWords, "fix" | "again"> {
  const flag = instance === SANDBOX ? "" : ` --instance ${instance}`;
  const end = `\`./vpai sandbox fault clear${flag}\` clears the injected faults`;
  return { fix: `${end}; \`./vpai start${flag}\` publishes what is missing`, again: `${end}; then the same command` };
}
