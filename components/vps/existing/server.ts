import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { hostFiles, renderBootstrap } from "../bootstrap.ts";
import { permanentKey, publicKey } from "../keys.ts";
import { DEPLOY_USER, type Machine } from "../machine.ts";

export interface ExistingServerArgs {
  /** IPv4 address. */
  readonly address: string;
  /** How it is reached the first time. */
  readonly first: {
    readonly port: number;
    readonly user: string;
    readonly privateKey?: pulumi.Output<string>;
    readonly password?: pulumi.Output<string>;
  };
  /** Its public host key, OpenSSH format, as its owner knows it: there is no trust on first use. */
  readonly hostKey: string;
  /** Increased when the machine was reinstalled. */
  readonly generation: number;
  readonly ssh: { readonly port: number; readonly passwordLogin: boolean };
  /** Whether the key refuses to be deleted. */
  readonly protect: boolean;
}

/**
 * Adopts a pre-provisioned server over its initial SSH endpoint, which stays open:
 * closing it is part of hardening, after the new endpoint has been used.
 *
 *     new ExistingServer("vps", { address: "203.0.113.7", first: { port: 22, user: "root", password }, hostKey, generation: 1, ssh, protect: true });
 */
export class ExistingServer extends pulumi.ComponentResource {
  readonly machine: Machine;

  constructor(name: string, args: ExistingServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:vps:ExistingServer", name, {}, opts);
    const clientKey = permanentKey(`${name}-client-key`, this, args.protect);
    const ports = [...new Set([args.ssh.port, args.first.port])];
    const bootstrap = publicKey(clientKey).apply((deployKey) =>
      renderBootstrap({ sshPorts: ports, deployKey, passwordLogin: args.ssh.passwordLogin, files: hostFiles() }),
    );
    const { port, user, privateKey, password } = args.first;
    const arrival = new command.remote.Command(
      `${name}-arrival`,
      {
        connection: {
          host: args.address,
          port,
          user,
          hostKey: args.hostKey,
          dialErrorLimit: 5,
          perDialTimeout: 10,
          ...(privateKey && { privateKey: pulumi.secret(privateKey) }),
          ...(password && { password: pulumi.secret(password) }),
        },
        create: user === "root" ? "bash -s" : "sudo -n bash -s",
        stdin: bootstrap,
        triggers: [args.address, args.generation],
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      // The first door may be locked by now: a newer bootstrap arrives through ours.
      { parent: this, ignoreChanges: ["connection", "create", "stdin", "logging"] },
    );
    this.machine = {
      id: arrival.id,
      resource: arrival,
      deletedWithServer: false,
      address: pulumi.output(args.address),
      sshPort: args.ssh.port,
      user: DEPLOY_USER,
      hostKey: pulumi.output(args.hostKey.trim().split(/\s+/).slice(0, 2).join(" ")),
      privateKey: pulumi.secret(clientKey.privateKeyOpenssh),
      bootstrap,
    };
    this.registerOutputs();
  }
}
