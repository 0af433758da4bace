import { Command } from "commander";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { addDevelopment } from "./development.ts";
import { addImages } from "./images.ts";
import { examples, imagesOption, instanceOption } from "./parts.ts";
import { addSandbox } from "./sandbox.ts";
import { addServices } from "./services.ts";
import { addStackTools } from "./stack-tools.ts";
import { addVerbs } from "./verbs.ts";

interface StartFlags {
  readonly instance: string;
  readonly full?: true;
  readonly images?: ImageSource;
  readonly verbose?: true;
}

/** The whole command. Each action's module is loaded only when it runs, so that `--help` is quick. */
export function buildCli(): Command {
  const program = new Command("vpai")
    .description("Turns an empty Debian server into a private, backed-up AI stack.")
    .showHelpAfterError("(`--help` explains)")
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText(
      "after",
      examples(
        "vpai start                  # everything, simulated, on this machine",
        "vpai up --stack prod        # on a real server",
        "vpai <command> --help",
      ),
    );
  program
    .command("start")
    .summary("bring up the whole stack in a sandbox on this machine")
    .description(
      "Provides the engine, starts the sandbox, and converges the stack in it.\nSafe to run again: it changes only what differs.",
    )
    .addOption(instanceOption())
    .option("--full", "real images where a light fake is the default (n8n: 2.9 GB)")
    .addOption(
      imagesOption("made here, or pulled from the public registries (default: as before, else by a short probe)"),
    )
    .option("--verbose", "have everything that the engine can say in the log, without secrets")
    .addHelpText("after", examples("vpai start", "vpai start --instance try", "vpai start --images upstream"))
    .action(async ({ instance, full, images, verbose }: StartFlags) => {
      const { runStart } = await import("../deploy/start.ts");
      await runStart({ instance, full: full === true, images, verbose: verbose === true });
    });
  addVerbs(program);
  addServices(program);
  addImages(program);
  addStackTools(program);
  addSandbox(program);
  addDevelopment(program);
  return program;
}
