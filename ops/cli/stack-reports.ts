import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

interface OutputFlags {
  readonly stack: string;
  readonly instance: string;
  readonly showSecrets?: true;
  readonly json?: true;
}

interface SmokeFlags {
  readonly stack: string;
  readonly instance: string;
  readonly json?: true;
  readonly junit?: string;
}

/** What an operator asks of a stack that is up. */
export function addStackReports(program: Command): void {
  program
    .command("output")
    .summary("print each service's address, user name and password or key")
    .description(
      "Prints one row for each service, with its secrets as they have to be typed. They are printed on a terminal, or with --show-secrets; nothing is written to a log. With a name: that output of the stack.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--show-secrets", "print secrets into a pipe or a file too")
    .option("--json", "for a program")
    .argument("[name]", "one output of the stack, such as address or links")
    .addHelpText(
      "after",
      examples(
        "vpai output --stack sandbox",
        "vpai output --stack prod --json --show-secrets",
        "vpai output --stack prod address",
      ),
    )
    .action(async (name: string | undefined, { showSecrets, json, ...choice }: OutputFlags) => {
      const { runOutput } = await import("../deploy/output.ts");
      await runOutput(name, { ...choice, showSecrets: showSecrets === true, json: json === true });
    });
  program
    .command("smoke")
    .summary("check that each service of a stack does its job")
    .description(
      "Runs every service's smoke checks in parallel: in its container, on the server through the edge, and from this machine. Exits with 1 when one fails. `start`, and each `up` that changed something, end with it.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--json", "for a program")
    .option("--junit <file>", "write JUnit's XML to this file")
    .addHelpText("after", examples("vpai smoke --stack prod", "vpai smoke --stack preprod --junit smoke.xml"))
    .action(async ({ json, ...options }: SmokeFlags) => {
      await (await import("../smoke/command.ts")).runSmokeCommand({ ...options, json: json === true });
    });
}
