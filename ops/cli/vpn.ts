import type { Command } from "commander";
import { examples, instanceOption, stackOption } from "./parts.ts";

interface VpnFlags {
  readonly stack: string;
  readonly instance: string;
}

export function addVpn(program: Command): void {
  const vpn = program
    .command("vpn")
    .summary("machines of the stack's own VPN")
    .description("Members of the VPN that Headscale on the stack's server makes (vpai:vpn.host: true).");
  vpn
    .command("add")
    .summary("make a key with which one machine joins")
    .description("Prints what to do on that machine. The key works once, within an hour. The machine is the owner's.")
    .argument("<name>", "name of the machine, such as laptop")
    .addOption(stackOption())
    .addOption(instanceOption())
    .addHelpText("after", examples("vpai vpn add laptop --stack prod"))
    .action(async (name: string, options: VpnFlags) => {
      await (await import("../vpn/command.ts")).runVpnAdd(name, options);
    });
  vpn
    .command("list")
    .summary("print the members")
    .addOption(stackOption())
    .addOption(instanceOption())
    .option("--json", "for a program")
    .addHelpText("after", examples("vpai vpn list --stack prod"))
    .action(async ({ json, ...options }: VpnFlags & { json?: true }) => {
      await (await import("../vpn/command.ts")).runVpnList({ ...options, json: json === true });
    });
  vpn
    .command("remove")
    .summary("put a machine out of the VPN")
    .argument("<name>", "name of the machine")
    .addOption(stackOption())
    .addOption(instanceOption())
    .addHelpText("after", examples("vpai vpn remove laptop --stack prod"))
    .action(async (name: string, options: VpnFlags) => {
      await (await import("../vpn/command.ts")).runVpnRemove(name, options);
    });
}
