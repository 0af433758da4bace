/** What the simulated Hetzner asks of whatever runs its servers. */
export interface Machines {
  /** Makes and boots a machine; resolves once it runs (not once cloud-init is done, as at Hetzner). */
  create(spec: MachineSpec): Promise<void>;
  /** Powers a stopped machine on. */
  start(id: number): Promise<void>;
  /** Asks the machine to shut down in order (ACPI), and waits until it has. */
  shutdown(id: number): Promise<void>;
  /** Cuts the power. */
  powerOff(id: number): Promise<void>;
  /** Reboots in order. */
  reboot(id: number): Promise<void>;
  /** Sets root's password in a running machine. */
  setRootPassword(id: number, password: string): Promise<void>;
  /** Removes the machine with its disk. */
  remove(id: number): Promise<void>;
  /**
   * Makes the rules the only inbound and outbound ones in force; undefined lifts the firewall. As at Hetzner, no `in`
   * rule means that nothing comes in, no `out` rule that everything goes out.
   */
  setFirewall(id: number, rules: readonly FirewallRule[] | undefined): Promise<void>;
  /** Makes an image named `snapshot` of the machine's disk. Docker's own data is part of it. */
  snapshot(id: number, snapshot: string): Promise<void>;
  /** Removes an image made by {@link snapshot}. */
  removeSnapshot(snapshot: string): Promise<void>;
}

/** A machine to be made. */
export interface MachineSpec {
  /** The id the API gave the server; unique in its sandbox. */
  readonly id: number;
  readonly name: string;
  /** Public IPv4 address, out of the sandbox's subnet. */
  readonly ipv4: string;
  readonly cores: number;
  readonly memoryMb: number;
  readonly diskGb: number;
  /** `debian-12`, or the name of a snapshot. */
  readonly image: string;
  /** cloud-init user data as the caller gave it; empty when none. */
  readonly userData: string;
  /** Public keys for root, OpenSSH format. */
  readonly sshKeys: readonly string[];
  /** The firewall to be in force before the first packet; the same is set again through {@link Machines.setFirewall}. */
  readonly firewall?: readonly FirewallRule[] | undefined;
}

/** One rule as the API has it; `port` is `80` or `1000-2000`, absent for icmp, esp, gre. */
export interface FirewallRule {
  readonly direction: "in" | "out";
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
  readonly port?: string;
  /** CIDRs: sources of an `in` rule, destinations of an `out` rule. */
  readonly cidrs: readonly string[];
}
