import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

export function addStackTools(program: Command): void {
  program
    .command("recover")
    .summary("resolve what an interrupted run of a stack left")
    .description(
      "Ends leftover processes of a killed run, clears its lock if that run is dead, and removes what it made without noting it (server, address, key, firewall, container, network). `start`, `up`, `refresh` and `destroy` do this by themselves. Refuses while a run is alive; shows who holds a lock of another host, and removes it once the stack's name is typed. What carries the stack's label at Hetzner and is unknown to the state is deleted, or listed with its price where it holds data.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--force", "remove the lock of a run on another host without asking, as in CI")
    .addHelpText("after", examples("vpai recover --stack prod", "vpai recover --stack sandbox --instance try"))
    .action(async (options: { stack: string; instance: string; force?: true }) => {
      await (await import("../deploy/operation.ts")).runRecover({ ...options, force: options.force === true });
    });
  program
    .command("ssh")
    .summary("log in to a stack's server")
    .description("Opens ssh as the deploy user with the stack's own key, known host key and port.")
    .addOption(stackOption().default("sandbox").makeOptionMandatory(false))
    .addOption(instanceOption())
    .argument("[command...]", "run this instead of a shell; after `--` if it has options")
    .addHelpText("after", examples("vpai ssh", "vpai ssh --stack prod -- docker ps"))
    .action(async (command: string[], options: { stack: string; instance: string }) => {
      await (await import("../deploy/ssh.ts")).runSsh(command, options);
    });
  program
    .command("purge")
    .summary("delete a removed service's leftover data")
    .description(
      "Removes the data and files of a service that is no longer in the stack, and its database if it is named. They are lost. Shows them first and wants the service's name typed back. Refuses while the stack has the service, or a container uses its data.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .requiredOption("--service <name>", "name of the removed service")
    .option("--database <name>", "remove this database, with the role that owns it, too")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      examples("vpai purge --stack prod --service qdrant", "vpai purge --stack prod --service n8n --database n8n"),
    )
    .action(async (options: { stack: string; instance: string; service: string; database?: string; yes?: true }) => {
      await (await import("../services/purge.ts")).runPurge({ ...options, yes: options.yes === true });
    });
  program
    .command("pulumi")
    .summary("run the plain engine on a stack, with all that it needs")
    .description(
      "Runs the engine as it is, with the stack chosen and made if it is missing, and with PATH, plugins and state as the other commands use them. Exits as the engine does. For settings, secrets and repairs; `up`, `preview`, `refresh` and `destroy` of vpai do more than the engine's own. A protected stack is not destroyed this way either.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .argument("<arguments...>", "after `--`: the engine's")
    .addHelpText(
      "after",
      examples(
        "vpai pulumi --stack prod -- config set --secret vpai:hetznerToken",
        "vpai pulumi --stack prod -- config set --path vpai:vps.location nbg1",
        "vpai pulumi --stack prod -- stack export --file state.json",
        "vpai pulumi --stack sandbox --instance try -- preview --diff",
      ),
    )
    .action(async (args: string[], options: { stack: string; instance: string }) => {
      await (await import("../deploy/pulumi.ts")).runPulumi(args, options);
    });
}
