import * as pulumi from "@pulumi/pulumi";
import type { WritableProvider } from "./credentials.ts";
import { type DnsRecord, ZONE_RECORDS } from "./record.ts";

export interface ZoneRecordsArgs {
  readonly provider: WritableProvider;
  readonly zone: string;
  /** Of the provider's API, with version. */
  readonly endpoint: string;
  /** Every record of the stack; the marker first. */
  readonly records: pulumi.Input<readonly DnsRecord[]>;
}

/**
 * What the state holds as the implementation: not a function that was made into text, which would be an update with
 * each change of its code, but where to load it from when it is called. The engine starts its plugin in the program's
 * folder.
 */
const IMPLEMENTATION = `exports.handler = () => {
  process.removeAllListeners("warning"); // Node's about types that it strips
  const { join } = require("node:path");
  return require(join(process.cwd(), "components/dns/provider.ts")).zoneRecordsProvider;
};`;

/**
 * All records of a stack in one zone: one resource, because a provider publishes a zone as a whole, and one that fails
 * half way is put right as a whole (docs/decisions/0019).
 *
 *     new ZoneRecords("dns", { provider: "ovh", zone: "example.com", endpoint, records: planRecords(…) });
 */
export class ZoneRecords extends pulumi.CustomResource {
  constructor(name: string, args: ZoneRecordsArgs, opts?: pulumi.CustomResourceOptions) {
    super(ZONE_RECORDS, name, { ...args, __provider: IMPLEMENTATION }, opts);
  }
}
