import { join } from "node:path";
import { OperatorError } from "../../shared/errors.ts";
import { images } from "../../components/images.ts";
import { SANDBOX } from "../stack/context.ts";
import { runningWorld } from "../sandbox/commands.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { StackFile } from "../stack/config-file.ts";
import { askForImages } from "./registry-check.ts";
import { readChecked } from "./checked-cache.ts";
import { Registries } from "../../shared/registry/client.ts";
import { replacedAddresses } from "../../shared/registry/upstream.ts";
import { type Replacement, rewritePins } from "./rewrite.ts";
import { readLock, stackPins, wantedImages } from "./stack-images.ts";
import { imagesToUpdate, proposalLines, propose } from "./update.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

const say = (line: string): void => void process.stdout.write(`${line}\n`);

/** `vpai images check`. */
export async function runImagesCheck(choice: StackChoice): Promise<void> {
  requireChoice(choice);
  const { stack, instance } = choice;
  const file = StackFile.read(stack);
  file.notices.forEach((notice) => say(`! ${notice}`));
  const world = stack === SANDBOX ? await runningWorld(instance) : undefined;
  const work = join(PROJECT_ROOT, ".vpai", world ? instance : stack);
  const wanted = wantedImages(stackPins(file), file.images, world ? readLock(work) : {});
  await askForImages({ stack, file, world }, wanted, (await readChecked(work)).platforms, say);
  if (world && world.images !== "upstream") {
    say("asked of the sandbox, which makes an image for any tag: this says nothing of the public registries");
  }
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
  const registries = new Registries({ addresses: replacedAddresses(process.env) });
  const { proposals, faults } = await propose(registries, chosen, options.major).finally(() => registries.close());
  const width = Math.max(...chosen.map((image) => image.service.length));
  for (const proposal of proposals) proposalLines(proposal, width).forEach(say);
  const replacements = proposals.flatMap(({ service: name, pin, to }): Replacement[] =>
    to ? [{ service: name, from: pin.text, to: to.text }] : [],
  );
  if (options.write && replacements.length > 0) {
    await rewritePins(options.file ?? join(PROJECT_ROOT, "components", "images.ts"), replacements);
    say(
      `components/images.ts: ${replacements.map((each) => each.service).join(", ")} changed; \`vpai up\` brings it up`,
    );
  } else if (replacements.length > 0) {
    say("--write writes them to components/images.ts");
  }
  if (faults.length > 0) throw new OperatorError(faults);
}
