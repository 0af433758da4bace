import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

export function addServices(program: Command): void {
  program
    .command("services")
    .summary("print what the stack is made of")
    .description(
      "One line a service, from its definition: version, networks, ports, route and who may use it, memory, user, metrics, backup, and what it needs. Memory in MB: what the service requests, its limit, and with --live what it uses now. With a stack: as that stack has it, its size and its images.",
    )
    .addOption(stackOption().makeOptionMandatory(false))
    .addOption(instanceOption())
    .option("--live", "ask the stack's server what memory each service uses now")
    .option("--json", "print it as JSON, with the reasons of what is left out")
    .addHelpText(
      "after",
      examples(
        "vpai services",
        "vpai services --stack sandbox",
        "vpai services --stack prod --live",
        "vpai services --json",
      ),
    )
    .action(async ({ stack, instance, json, live }: { stack?: string; instance: string; json?: true; live?: true }) => {
      const { runServices } = await import("../services/list.ts");
      await runServices({ ...(stack !== undefined && { stack }), instance, json: json === true, live: live === true });
    });
  program
    .command("ports")
    .summary("print the ports that clients may reach")
    .description(
      "One line for each declared port: what listens there, the clients it is for, and the addresses that may reach it by IPv4 and IPv6. From the stack file alone: every firewall is made from this list.",
    )
    .addOption(stackOption())
    .option("--json", "for a program")
    .addHelpText("after", examples("vpai ports --stack prod", "vpai ports --stack prod --json"))
    .action(async ({ stack, json }: { stack: string; json?: true }) => {
      (await import("../ports/command.ts")).runPorts({ stack, json: json === true });
    });
}
