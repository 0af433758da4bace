import type * as pulumi from "@pulumi/pulumi";

/** A machine that answers SSH: what the rest of the program knows of a server, wherever it comes from. */
export interface Machine {
  /** Identity: a new value means a new machine, on which everything has to be done again. */
  readonly id: pulumi.Output<string>;
  /** The resource that stands for the machine; what lives on it is replaced with it. */
  readonly resource: pulumi.Resource;
  /** Whether deleting {@link resource} deletes the machine, so that nothing on it needs deleting by itself. */
  readonly deletedWithServer: boolean;
  /** IPv4 address. */
  readonly address: pulumi.Output<string>;
  /** Port of sshd once the machine is ours. */
  readonly sshPort: number;
  /** The user that owns Docker on it; may use sudo without a password. */
  readonly user: string;
  /** Public host key, OpenSSH format without comment: known before the first connection. */
  readonly hostKey: pulumi.Output<string>;
  /** Private key of {@link user}, OpenSSH format; secret. */
  readonly privateKey: pulumi.Output<string>;
  /** The script that makes a stock Debian ours, complete; runs as root, any number of times. */
  readonly bootstrap: pulumi.Output<string>;
}

/** The user that the program logs in as, on every machine. */
export const DEPLOY_USER = "deploy";
