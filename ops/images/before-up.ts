import type { World } from "../../sandbox/supervisor/client.ts";
import type { StackContext } from "../stack/context.ts";
import { StackFile } from "../stack/config-file.ts";
import { readChecked, rememberedAfter, unchecked, writeChecked } from "./checked-cache.ts";
import { readLock, stackPins, wantedImages } from "./stack-images.ts";

export interface UpCheck {
  readonly context: StackContext;
  /** The sandbox that the stack is in. */
  readonly world?: World | undefined;
  readonly report: (line: string) => void;
  /** Services of a targeted run. @default all */
  readonly only?: readonly string[] | undefined;
}

/**
 * Before an `up`: asks the registries for the images that no successful `up` has brought to this stack's server, and
 * refuses if one is not available. Without such an image, no request is made. Returns what to do after a successful `up`.
 *
 * @throws OperatorError with every image and every registry at fault
 */
export async function checkBeforeUp({ context, world, report, only }: UpCheck): Promise<() => Promise<void>> {
  const nothing = (): Promise<void> => Promise.resolve();
  const file = StackFile.read(context.stack);
  const all = stackPins(file);
  const lock = world ? readLock(context.workDir) : undefined;
  // The program itself says what to do when the sandbox has not published an image.
  if (world && !Object.values(all).every((pin) => lock && pin in lock)) return nothing;
  const pins = Object.fromEntries(Object.entries(all).filter(([service]) => only?.includes(service) ?? true));
  const images = wantedImages(pins, file.images, lock);
  const checked = await readChecked(context.workDir);
  const wanted = unchecked(images, checked, file.machine);
  // The client of the registries is loaded only where it is needed.
  const ask = async () =>
    (await import("./registry-check.ts")).askForImages({ stack: context.stack, file, world }, wanted, {});
  const findings = wanted.length > 0 ? await ask() : [];
  const where = world ? "the sandbox's registry" : "their registries";
  if (findings.length > 0) report(`images: ${findings.length} of ${images.length} are new, and found at ${where}`);
  const after = rememberedAfter(checked, images, findings, { machine: file.machine, partly: only !== undefined });
  return JSON.stringify(after) === JSON.stringify(checked) ? nothing : () => writeChecked(context.workDir, after);
}
