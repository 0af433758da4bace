import { Command } from "commander";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { addDevelopment } from "./development.ts";
import { addDrift } from "./drift.ts";
import { addImages } from "./images.ts";
import {
  examples,
  FULL_IS_DEFAULT,
  fullOption,
  fullRunOption,
  imagesOption,
  instanceOption,
  offlineOption,
  skipInspectOption,
} from "./parts.ts";
import { addSandbox } from "./sandbox.ts";
import { addServices } from "./services.ts";
import { addStackReports } from "./stack-reports.ts";
import { addStackTools } from "./stack-tools.ts";
import { addVerbs } from "./verbs.ts";
import { addBackup } from "./backup.ts";
import { addVpn } from "./vpn.ts";

interface StartFlags {
  readonly instance: string;
  readonly full?: true;
  readonly images?: ImageSource;
  readonly verbose?: true;
  readonly offline?: true;
  readonly skipInspect?: true;
  readonly fullRun?: true;
  readonly allowDelete?: string;
}

/** The whole command. Each action's module is loaded only when it runs, so that `--help` is quick. */
export function buildCli(): Command {
  const program = new Command("vpai")
    .description("Turns an empty Debian server into a private AI stack.")
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
      "Provides the engine, starts the sandbox, and converges the stack in it. Safe to run again: it changes only what differs.",
    )
    .addOption(instanceOption())
    .addOption(fullOption())
    .addOption(
      imagesOption("made here, or pulled from the public registries (default: as before, else by a short probe)"),
    )
    .option("--verbose", "have everything that the engine can say in the log, without secrets")
    .addOption(offlineOption())
    .addOption(skipInspectOption())
    .addOption(fullRunOption())
    .option("--allow-delete <stack>", "`sandbox`, where a run that loses data cannot ask for the name")
    .addHelpText("after", examples("vpai start", "vpai start --instance try", "vpai start --images upstream"))
    .action(async ({ instance, full, images, verbose, offline, skipInspect, fullRun, allowDelete }: StartFlags) => {
      if (full === true) process.stderr.write(FULL_IS_DEFAULT);
      // More in the log needs the engine.
      const fast = [verbose, skipInspect, fullRun].every((option) => option === undefined);
      if (fast && (await (await import("../fast-path/command.ts")).tryFastStart(instance, images))) return;
      const { runStart } = await import("../deploy/start.ts");
      await runStart({
        instance,
        images,
        verbose: verbose === true,
        offline: offline === true,
        skipInspect: skipInspect === true,
        allowDelete,
      });
    });
  addVerbs(program);
  addDrift(program);
  addServices(program);
  addImages(program);
  addStackReports(program);
  addStackTools(program);
  addVpn(program);
  addBackup(program);
  addSandbox(program);
  addDevelopment(program);
  return program;
}
