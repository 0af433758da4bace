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
}

/** Software of Debian's on the server itself. The run fails unless it is seen to work. */
export class HostSoftware extends pulumi.ComponentResource {
  constructor(
    name: string,
    { host, software, resource = HOST_SOFTWARE }: HostSoftwareArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super("vpai:host:HostSoftware", name, {}, opts);
    const script = readFileSync(join(import.meta.dirname, "../../../files/host/software.py"), "utf8");
    host.remoteCommand(
      resource,
      {
        create: "sudo -n python3 -I -",
        stdin: pulumi.output(software).apply((each) => renderHostSoftware(script, each)),
      },
      this,
    );
    this.registerOutputs();
  }
}
