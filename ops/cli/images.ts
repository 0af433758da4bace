import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

export function addImages(program: Command): void {
  const images = program
    .command("images")
    .summary("manage pinned images")
    .description("Every image is pinned by tag and digest in components/images.ts; a stack file may replace some.")
    .addHelpText(
      "after",
      examples("vpai images check --stack prod", "vpai images update", "vpai images update n8n --write"),
    );
  images
    .command("check")
    .summary("check that every image is available in its registry")
    .description(
      "Checks each image by its digest: that it exists, lists its platforms, and has the server's. `up` and `start` check the images that are new since the last successful `up`. Needs no login, downloads nothing.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .addHelpText("after", examples("vpai images check --stack prod", "vpai images check --stack sandbox"))
    .action(async (options: { stack: string; instance: string }) => {
      await (await import("../images/commands.ts")).runImagesCheck(options);
    });
  images
    .command("prune")
    .summary("remove images from the server that no service needs any more")
    .description(
      "Keeps each service's image and the one that it ran before, for a way back. Images of other repositories, and any that has a tag, are left alone: this program pulls by digest. `up` and `start` end with it when they changed something.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--dry-run", "show what would be removed, and remove nothing")
    .addHelpText("after", examples("vpai images prune --stack prod", "vpai images prune --stack prod --dry-run"))
    .action(async (options: { stack: string; instance: string; dryRun?: true }) => {
      await (await import("../images/prune.ts")).runImagesPrune({ ...options, dryRun: options.dryRun === true });
    });
  images
    .command("update")
    .summary("propose newer versions, with their digests and release notes")
    .description(
      "Looks up the newest version of each image, of the same major version and the same kind; else whether its tag was rebuilt. Changes nothing without --write; `vpai up` then deploys it to a stack.",
    )
    .argument("[service]", "one service; without it all")
    .option("--write", "write the proposals to components/images.ts")
    .option("--major", "take another major version too")
    .addHelpText(
      "after",
      examples("vpai images update", "vpai images update n8n", "vpai images update grafana --major --write"),
    )
    .action(async (service: string | undefined, { write, major }: { write?: true; major?: true }) => {
      const { runImagesUpdate } = await import("../images/commands.ts");
      await runImagesUpdate(service, { write: write === true, major: major === true });
    });
}
