import type { Command } from "commander";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { examples, imagesOption, instanceOption } from "./parts.ts";

export function addSandbox(program: Command): void {
  const sandbox = program
    .command("sandbox")
    .summary("manage the sandbox")
    .description(
      "The sandbox that `vpai start` brings up: simulated Hetzner API, image registry, package proxy and servers.",
    )
    .addHelpText(
      "after",
      examples("vpai sandbox status", "vpai sandbox fault no-capacity serverType=cx23", "vpai sandbox down"),
    );
  const action = (name: string, summary: string, more = ""): Command =>
    sandbox
      .command(name)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}.${more}`)
      .addOption(instanceOption());
  action(
    "up",
    "start a sandbox and its images, without the stack",
    " For the plain engine; `vpai start` does this too.",
  )
    .addOption(imagesOption("made here, or pulled from the public registries"))
    .addHelpText("after", examples("vpai sandbox up", "vpai sandbox up --instance try"))
    .action(async ({ instance, images }: { instance: string; images?: ImageSource }) =>
      (await import("../deploy/start.ts")).runSandboxUp(instance, images),
    );
  action("down", "remove a sandbox and everything it made", " Leaves no container, network, process or firewall rule.")
    .addHelpText("after", examples("vpai sandbox down", "vpai sandbox down --instance try"))
    .action(async ({ instance }: { instance: string }) => (await import("../sandbox/commands.ts")).down(instance));
  action(
    "env",
    "print the sandbox's environment as `export` lines",
    " For hcloud, pulumi or any client that should talk to it.",
  )
    .addHelpText("after", examples('eval "$(npm run -s sandbox:env)" && hcloud server list'))
    .action(async ({ instance }: { instance: string }) => (await import("../sandbox/commands.ts")).env(instance));
  action("status", "show sandbox status")
    .addHelpText("after", examples("vpai sandbox status"))
    .action(async ({ instance }: { instance: string }) => (await import("../sandbox/commands.ts")).status(instance));
  action(
    "fault",
    "inject a fault",
    " Without a name: lists the faults with their settings, and those in force. `clear` ends them all.",
  )
    .argument("[name]", "fault, or `clear`")
    .argument("[settings...]", "key=value")
    .addHelpText(
      "after",
      examples(
        "vpai sandbox fault hetzner-5xx times=3",
        "vpai sandbox fault no-capacity serverType=cx23",
        "vpai sandbox fault clear",
      ),
    )
    .action(async (name: string | undefined, settings: string[], { instance }: { instance: string }) =>
      (await import("../sandbox/commands.ts")).fault(instance, name, settings),
    );
  action("power-cut", "cut the power of a simulated server, as if its plug were pulled")
    .argument("[server]", "its name at Hetzner", "vpai-sandbox")
    .addHelpText("after", examples("vpai sandbox power-cut && vpai up --stack sandbox -- --refresh"))
    .action(async (server: string, { instance }: { instance: string }) =>
      (await import("../sandbox/commands.ts")).powerCut(instance, server),
    );
  sandbox
    .command("refresh-offers")
    .summary("update the tables of server types, locations and prices from Hetzner's API")
    .description(
      "Rewrites the tables of Hetzner's server types, locations and prices from its API. Takes the token from HCLOUD_TOKEN.",
    )
    .addHelpText("after", examples("HCLOUD_TOKEN=… vpai sandbox refresh-offers"))
    .action(async () => (await import("../sandbox/refresh-offers.ts")).refreshOffers());
}
