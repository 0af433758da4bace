import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

interface Flags {
  readonly stack: string;
  readonly instance: string;
}

interface KitFlags extends Flags {
  readonly out?: string;
  readonly recipient?: string[];
}

interface RestoreFlags extends Flags {
  readonly service: string;
  readonly snapshot?: string;
  readonly at?: string;
  readonly yes?: true;
  readonly withoutSafety?: true;
}

export function addBackup(program: Command): void {
  program
    .command("backup")
    .summary("save the stack's data now")
    .description(
      "Saves every item of every service, or those of some services, in the repository of vpai:backup. The server does the same every night. Exit code 1 unless all were saved.",
    )
    .argument("[services...]", "services to save; by default all")
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--accept-smaller", "take copies that are less than half of the last ones")
    .addHelpText("after", examples("vpai backup --stack prod", "vpai backup n8n --stack prod"))
    .action(async (services: string[], { acceptSmaller, ...choice }: Flags & { acceptSmaller?: true }) => {
      const { runBackup } = await import("../backup/command.ts");
      await runBackup({ ...choice, services, acceptSmaller: acceptSmaller === true });
    });
  program
    .command("backups")
    .summary("list what is saved, how old and how large it is")
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--json", "for a program, with every snapshot")
    .addHelpText("after", examples("vpai backups --stack prod"))
    .action(async ({ json, ...choice }: Flags & { json?: true }) => {
      await (await import("../backup/command.ts")).runBackups({ ...choice, json: json === true });
    });
  program
    .command("restore")
    .summary("put a service's data back from a backup")
    .description(
      "Shows what will be overwritten and asks for the service's name. What the service has now is saved first; if the restore fails or is cut off, it comes back.",
    )
    .requiredOption("--service <name>", "the service")
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--snapshot <id>", "one snapshot; `vpai backups --json` lists them")
    .option("--at <time>", "the newest copies up to a moment, such as 2026-11-27T03:00")
    .option("--without-safety", "do not save first what is overwritten: for data that cannot be read any more")
    .option("--yes", "do not ask")
    .addHelpText(
      "after",
      examples(
        "vpai restore --service n8n --stack prod",
        "vpai restore --service n8n --at 2026-11-20T12:00 --stack prod",
      ),
    )
    .action(async ({ yes, withoutSafety, ...options }: RestoreFlags) => {
      const { runRestore } = await import("../backup/command.ts");
      await runRestore({ ...options, yes: yes === true, withoutSafety: withoutSafety === true });
    });
  program
    .command("recovery-kit")
    .summary("write what a restore from nothing needs into one encrypted file")
    .description(
      "The keys that data is encrypted with, the password of the backups, the stack file with its passphrase, and the state: encrypted by age, with a passphrase that is shown once, or for age's public keys.",
    )
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--out <file>", "the file that is made (default: vpai-<stack>-recovery.age)")
    .option("--recipient <key...>", "public keys of age that open it, in place of a passphrase")
    .addHelpText(
      "after",
      examples("vpai recovery-kit --stack prod", "vpai recovery-kit --stack prod --recipient age1… --out kit.age"),
    )
    .action(async ({ recipient, ...options }: KitFlags) => {
      const { runRecoveryKit } = await import("../recovery-kit/command.ts");
      await runRecoveryKit({ ...options, recipients: recipient ?? [] });
    });
}
