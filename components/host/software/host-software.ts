import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host.ts";
import { HOST_SOFTWARE, type HostSoftware as Software, renderHostSoftware } from "./model.ts";

export interface HostSoftwareArgs {
  readonly host: Host;
  readonly software: Software;
}

/** Software of Debian's on the server itself. The run fails unless it is seen to work. */
export class HostSoftware extends pulumi.ComponentResource {
  constructor(name: string, { host, software }: HostSoftwareArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:host:HostSoftware", name, {}, opts);
    const script = readFileSync(join(import.meta.dirname, "../../../files/host/software.py"), "utf8");
    host.remoteCommand(
      HOST_SOFTWARE,
      { create: "sudo -n python3 -I -", stdin: renderHostSoftware(script, software) },
      this,
    );
    this.registerOutputs();
  }
}
