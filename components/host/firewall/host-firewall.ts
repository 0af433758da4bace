import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host.ts";
import { HOST_FIREWALL, type HostTable, renderHostTable } from "./host-table.ts";

export interface HostFirewallArgs {
  readonly host: Host;
  readonly table: HostTable;
  /** Whether the first rules may close ports on which programs of the server listen; else they are refused. */
  readonly mayClose: boolean;
}

/**
 * The server's own firewall. New rules are tried: unless a new connection from the machine of the run gets in within 45 s,
 * the server takes them back by itself, and the run fails with the reason.
 */
export class HostFirewall extends pulumi.ComponentResource {
  constructor(name: string, { host, table, mayClose }: HostFirewallArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:host:HostFirewall", name, {}, opts);
    const script = readFileSync(join(import.meta.dirname, "../../../files/client/keep-firewall.sh"), "utf8");
    const environment = { VPAI_CLOSING: mayClose ? "open" : "ask" };
    host.localCommand(HOST_FIREWALL, { create: script, stdin: renderHostTable(table), environment }, this);
    this.registerOutputs();
  }
}
