import type { Command } from "commander";
import { examples, stackOption } from "./parts.ts";

export function addServices(program: Command): void {
  program
    .command("services")
    .summary("print what the stack is made of")
    .description(
      "One line a service, from its definition: version, networks, ports, route and who may use it, memory, user, metrics,\nbackup, and what it needs. With a stack: as that stack has it, its size and its images.",
    )
    .addOption(stackOption().makeOptionMandatory(false))
    .option("--json", "print it as JSON, with the reasons of what is left out")
    .addHelpText("after", examples("vpai services", "vpai services --stack sandbox", "vpai services --json"))
    .action(async ({ stack, json }: { stack?: string; json?: true }) => {
      const { runServices } = await import("../services/list.ts");
      runServices({ ...(stack !== undefined && { stack }), json: json === true });
    });
}
