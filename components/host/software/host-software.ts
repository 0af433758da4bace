import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host.ts";
import { HOST_SOFTWARE, type HostSoftware as Software, renderHostSoftware } from "./model.ts";

export interface HostSoftwareArgs {
  readonly host: Host;
  /** Secret where a file of it holds one. */
  readonly software: pulumi.Input<Software>;
  /** Name of its resource. @default {@link HOST_SOFTWARE} */
  readonly resource?: string;
  /** Units that are stopped, and files that are removed, when the stack does without it. @default it stays */
  readonly leaves?: { readonly units: readonly string[]; readonly files: readonly string[] };
  /** What has to be there before. */
  readonly after?: readonly pulumi.Resource[];
}

/** Software of Debian's on the server itself. The run fails unless it is seen to work. */
export class HostSoftware extends pulumi.ComponentResource {
  constructor(
    name: string,
    { host, software, resource = HOST_SOFTWARE, leaves, after = [] }: HostSoftwareArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("vpai:host:HostSoftware", name, {}, opts);
    const script = readFileSync(join(import.meta.dirname, "../../../files/host/software.py"), "utf8");
    host.remoteCommand(
      resource,
      {
        create: "sudo -n python3 -I -",
        stdin: pulumi.output(software).apply((each) => renderHostSoftware(script, each)),
        ...(leaves && { delete: removal(leaves) }),
      },
      this,
      // Created first, what replaces it would be removed with the old one.
      { dependsOn: [...after], deleteBeforeReplace: true },
    );
    this.registerOutputs();
  }
}

const removal = ({ units, files }: NonNullable<HostSoftwareArgs["leaves"]>): string =>
  `set -e; sudo -n systemctl disable --now ${units.join(" ")}; sudo -n rm -f ${files.join(" ")}; sudo -n systemctl daemon-reload`;
