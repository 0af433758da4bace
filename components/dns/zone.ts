import type { DnsRecord } from "./record.ts";

/** A record as a provider has it. */
export interface ZoneRecord extends DnsRecord {
  readonly id: string;
}

/** What is to be done in a zone. */
export interface ZoneChanges {
  readonly create: readonly DnsRecord[];
  readonly update: readonly { readonly from: ZoneRecord; readonly to: DnsRecord }[];
  readonly remove: readonly ZoneRecord[];
}

/** A zone at a provider. */
export interface Zone {
  readonly name: string;
  /** Every record at these names, of every type; values in their canonical form. */
  find(names: readonly string[]): Promise<readonly ZoneRecord[]>;
  /** Writes one record after the other, in the order given: created, updated, removed. */
  write(changes: ZoneChanges): Promise<void>;
  /** Has the provider serve what was written. */
  publish(): Promise<void>;
  /**
   * Tries every right that the others need, without changing what is served.
   *
   * @throws OperatorError naming what is missing
   */
  tryRights(): Promise<void>;
}
