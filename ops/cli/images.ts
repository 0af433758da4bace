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
      "Checks each image by its digest: that it exists, lists its platforms, and has the server's. `up` and `start` check the\nimages that are new since the last successful `up`. Needs no login, downloads nothing.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .addHelpText("after", examples("vpai images check --stack prod", "vpai images check --stack sandbox"))
    .action(async (options: { stack: string; instance: string }) => {
      await (await import("../images/commands.ts")).runImagesCheck(options);
    });
  images
    .command("update")
    .summary("propose newer versions, with their digests and release notes")
    .description(
      "Looks up the newest version of each image, of the same major version and the same kind; else whether its tag was\nrebuilt. Changes nothing without --write; `vpai up` then deploys it to a stack.",
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
