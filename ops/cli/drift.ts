import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

export function addDrift(program: Command): void {
  program
    .command("drift")
    .summary("compare a stack's server with what the last run left")
    .description(
      "Reads the actual state of the server in one round trip and compares it: containers, networks, images, files, data\nfolders, packages, units, sshd, open ports. Changes nothing. Exits 0 without drift, 2 with drift, 1 when the server\ncannot be inspected. `up` does the same first, and repairs it.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--json", "print it as JSON, with what `up` would do")
    .addHelpText("after", examples("vpai drift --stack prod", "vpai drift --stack sandbox --json"))
    .action(async ({ json, ...choice }: { stack: string; instance: string; json?: true }) => {
      await (await import("../drift/command.ts")).runDrift({ ...choice, json: json === true });
    });
}
