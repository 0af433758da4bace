import { join } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { images } from "../../components/images.ts";
import { CLONE, SANDBOX } from "../context.ts";
import { runningWorld } from "../sandbox.ts";
import { requireChoice, type StackChoice } from "../stack.ts";
import { StackFile } from "../stack-file.ts";
import { RegistryTrouble } from "./answer.ts";
import { askForImages } from "./ask.ts";
import { AT_ONCE } from "./check.ts";
import { readChecked } from "./memory.ts";
import { Registries } from "./registry.ts";
import { type Replacement, rewritePins } from "./rewrite.ts";
import { readLock, stackPins, wantedImages } from "./stack-images.ts";
import { type PinnedImage, type Proposal, proposalFor, proposalLines, troubleFault } from "./update.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** `vpai images check`. */
export async function runImagesCheck(choice: StackChoice): Promise<void> {
  requireChoice(choice);
  const { stack, instance } = choice;
  const file = StackFile.read(stack);
  const world = stack === SANDBOX ? await runningWorld(instance) : undefined;
  const work = join(CLONE, ".vpai", world ? instance : stack);
  const wanted = wantedImages(stackPins(file), file.images, world ? readLock(work) : {});
  await askForImages({ stack, file, world }, wanted, await readChecked(work), say);
}

interface UpdateOptions {
  readonly write: boolean;
  /** Another major version will do. */
  readonly major: boolean;
  /** File of images. @default this clone's */
  readonly file?: string;
}

/** `vpai images update`. */
export async function runImagesUpdate(service: string | undefined, options: UpdateOptions): Promise<void> {
  const chosen = imagesToUpdate(images, service);
  const registries = new Registries();
  const { proposals, faults } = await propose(registries, chosen, options.major).finally(() => registries.close());
  const width = Math.max(...chosen.map((image) => image.service.length));
  for (const proposal of proposals) proposalLines(proposal, width).forEach(say);
  const replacements = proposals.flatMap(({ service: name, pin, to }): Replacement[] =>
    to ? [{ service: name, from: pin.text, to: to.text }] : [],
  );
  if (options.write && replacements.length > 0) {
    await rewritePins(options.file ?? join(CLONE, "components", "images.ts"), replacements);
    say(
      `components/images.ts: ${replacements.map((each) => each.service).join(", ")} changed; \`vpai up\` brings it up`,
    );
  } else if (replacements.length > 0) {
    say("--write writes them to components/images.ts");
  }
  if (faults.length > 0) throw new OperatorError(faults);
}

/** The images asked about: one service's, or all. */
export function imagesToUpdate(
  all: Readonly<Record<string, Omit<PinnedImage, "service">>>,
  service: string | undefined,
): PinnedImage[] {
  const list = Object.entries(all).map(([name, image]) => ({ service: name, ...image }));
  const chosen = list.filter((image) => service === undefined || image.service === service);
  if (chosen.length > 0) return chosen;
  throw new OperatorError({
    key: "vpai images update",
    found: service ?? "no image",
    allowed: Object.keys(all).join(", "),
    fix: "name one of them, or none for all",
  });
}

/** Proposals in the order of the images, and what was in the way of the others. */
export async function propose(registries: Registries, chosen: readonly PinnedImage[], anyMajor: boolean) {
  const outcomes: (Proposal | RegistryTrouble)[] = [];
  const queue = chosen.entries();
  const work = async (): Promise<void> => {
    for (const [index, image] of queue) {
      outcomes[index] = await proposalFor(registries, image, anyMajor).catch((error: unknown) => {
        if (error instanceof RegistryTrouble) return error;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return {
    proposals: outcomes.flatMap((outcome) => (outcome instanceof RegistryTrouble ? [] : [outcome])),
    faults: outcomes.flatMap((outcome, index) => {
      const image = chosen[index];
      return outcome instanceof RegistryTrouble && image ? [troubleFault(image, outcome)] : [];
    }),
  };
}
