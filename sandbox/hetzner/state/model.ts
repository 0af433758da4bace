import type { FirewallRule } from "./machines.ts";

export type Labels = Readonly<Record<string, string>>;

export interface ActionError {
  readonly code: string;
  readonly message: string;
}

/** What an action does; plain data, so that a restarted sandbox can take it up again. */
export type Task =
  | { readonly kind: "create" | "rebuild"; readonly server: number }
  | {
      readonly kind: "booted" | "start" | "powerOff" | "shutdown" | "reboot" | "reset" | "remove";
      readonly server: number;
    }
  | { readonly kind: "changeType"; readonly server: number; readonly type: number; readonly upgradeDisk: boolean }
  | { readonly kind: "snapshot"; readonly server: number; readonly image: number }
  | { readonly kind: "firewall"; readonly server: number }
  | { readonly kind: "resetPassword" | "disableBackup"; readonly server: number }
  | { readonly kind: "record" };

export interface ActionRecord {
  readonly id: number;
  readonly command: string;
  status: "running" | "success" | "error";
  /** ISO 8601. */
  readonly started: string;
  finished: string | null;
  error: ActionError | null;
  readonly resources: readonly { readonly id: number; readonly type: string }[];
  readonly task: Task;
  /** Actions of one queue run one after the other. */
  readonly queue: string;
  /** Locks the queue's resource while it runs. */
  readonly exclusive: boolean;
}

export type ServerStatus =
  "initializing" | "starting" | "running" | "stopping" | "off" | "deleting" | "rebuilding" | "migrating";

export interface ServerRecord {
  readonly id: number;
  name: string;
  status: ServerStatus;
  readonly created: string;
  serverType: number;
  readonly location: string;
  image: number;
  labels: Labels;
  protection: { delete: boolean; rebuild: boolean };
  userData: string;
  /** Public keys given at creation, for rebuilds. */
  readonly sshKeys: readonly string[];
  primaryDiskSize: number;
  /** What the machine behind it was made with; null before that. A difference takes effect at the next power-on. */
  machine: { readonly ipv4: string; readonly serverType: number } | null;
  readonly startAfterCreate: boolean;
  /** Milliseconds since the epoch until which rescue mode is enabled; a boot disables it. */
  rescueUntil?: number | null;
  /** The hours of the daily backup in UTC, like `22-02`; null without backups. */
  backupWindow?: string | null;
}

export interface PrimaryIpRecord {
  readonly id: number;
  name: string;
  readonly type: "ipv4" | "ipv6";
  /** An address, or for `ipv6` a /64 network. */
  readonly ip: string;
  readonly location: string;
  readonly created: string;
  labels: Labels;
  assignee: number | null;
  autoDelete: boolean;
  protection: { delete: boolean };
  dnsPtr: { ip: string; dns_ptr: string }[];
}

export interface StoredRule extends FirewallRule {
  readonly description: string | null;
}

export type FirewallTarget =
  { readonly type: "server"; readonly server: number } | { readonly type: "label_selector"; readonly selector: string };

export interface FirewallRecord {
  readonly id: number;
  name: string;
  readonly created: string;
  labels: Labels;
  rules: readonly StoredRule[];
  appliedTo: readonly FirewallTarget[];
}

export interface SshKeyRecord {
  readonly id: number;
  name: string;
  readonly fingerprint: string;
  readonly publicKey: string;
  readonly created: string;
  labels: Labels;
}

/** A snapshot or a backup; system images are in the catalogue. */
export interface SnapshotRecord {
  readonly id: number;
  description: string;
  status: "creating" | "available";
  readonly created: string;
  readonly createdFrom: { readonly id: number; readonly name: string };
  /** The server that a backup belongs to, and is deleted with; null for a snapshot. */
  boundTo?: number | null;
  readonly diskSize: number;
  readonly architecture: "x86" | "arm";
  readonly osVersion: string | null;
  labels: Labels;
  protection: { delete: boolean };
}

export interface VolumeRecord {
  readonly id: number;
  name: string;
  size: number;
  readonly location: string;
  readonly format: "ext4" | "xfs" | null;
  readonly created: string;
  labels: Labels;
  server: number | null;
  protection: { delete: boolean };
}

/** Everything a project at the simulated Hetzner holds; written to the state file as it is. */
export interface State {
  version: 1;
  nextId: number;
  servers: ServerRecord[];
  actions: ActionRecord[];
  primaryIps: PrimaryIpRecord[];
  firewalls: FirewallRecord[];
  sshKeys: SshKeyRecord[];
  snapshots: SnapshotRecord[];
  volumes: VolumeRecord[];
}
