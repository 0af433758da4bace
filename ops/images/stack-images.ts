import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Fault, OperatorError } from "../../shared/errors.ts";
import { parseImageRef } from "../../shared/image-ref.ts";
import { deployedServices, imagePins } from "../../stacks/catalogue.ts";
import type { StackFile } from "../stack/config-file.ts";
import type { WantedImage } from "./check.ts";

/** Pin by service of what a stack has: the catalogue's, with the stack file's replacements and omissions. */
export const stackPins = (file: Pick<StackFile, "images" | "disabledServices" | "vpn">): Record<string, string> =>
  imagePins(file.images, deployedServices(file));

/** What stands for each pin in a sandbox; undefined when nothing was published yet. */
export function readLock(work: string): Record<string, string> | undefined {
  const file = join(work, "images.json");
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Record<string, string>) : undefined;
}

/**
 * The images that the services run, each once.
 *
 * @param pins by service
 * @param replaced the stack file's among them
 * @param lock what stands for each pin; @default they are taken as pinned
 * @throws OperatorError with every pin that is none
 */
export function wantedImages(
  pins: Readonly<Record<string, string>>,
  replaced: Readonly<Record<string, string>> = {},
  lock: Readonly<Record<string, string>> = {},
): WantedImage[] {
  const faults: Fault[] = [];
  const wanted = new Map<string, WantedImage>();
  for (const [service, pin] of Object.entries(pins)) {
    try {
      const parsed = parseImageRef(lock[pin] ?? pin);
      const services = [...(wanted.get(parsed.text)?.services ?? []), service];
      wanted.set(parsed.text, { pin: parsed, services });
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      const key = service in replaced ? `vpai:images.${service}` : `image of ${service}`;
      faults.push(...error.faults.map((fault) => ({ ...fault, key })));
    }
  }
  if (faults.length > 0) throw new OperatorError(faults);
  return [...wanted.values()];
}
