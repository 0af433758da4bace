import * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { NetworkName } from "../service/model/facets.ts";
import type { Machine } from "../vps/machine.ts";
import { renderReadinessScript } from "./readiness-script.ts";
import { NETWORKS } from "./networks.ts";
import { materialise, renderSshFiles, SSH_ALIAS } from "./ssh-files.ts";

export interface HostArgs {
  readonly machine: Machine;
  /** Work folder, relative to the program's: the SSH files go to `ssh/` in it. */
  readonly workFolder: string;
  readonly networks: readonly NetworkName[];
}

/** A script on the host. */
export interface HostCommandArgs {
  /** No secret in it: a failure prints it. */
  readonly create: string;
  /** Run before it is deleted or run again, on the machine as it is then. No secret in it either. */
  readonly delete?: string;
  /** Where secrets travel. */
  readonly stdin?: pulumi.Input<string>;
  /** Run again when one of them changes; the machine's identity is always among them. */
  readonly triggers?: readonly pulumi.Input<string>[];
}

/** A script on the machine of the run. No secret in any of it: a failure prints the script. */
export interface LocalCommandArgs {
  readonly create: string;
  readonly stdin: string;
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * A machine that is ours: bootstrapped, verified, its Docker daemon reached over one shared SSH connection. Everything
 * that lives on a machine is made through {@link Host.resourceOptions} or {@link Host.remoteCommand}: it is replaced with the machine, and
 * waits until the machine is ready.
 *
 *     const host = new Host("host", { machine, workFolder: ".vpai/prod", networks: ["backend"] });
 *     new docker.Network("x", {}, host.resourceOptions(parent));
 */
export class Host extends pulumi.ComponentResource {
  /** Succeeds once the machine is ready. */
  readonly ready: command.remote.Command;
  readonly networks: ReadonlyMap<NetworkName, docker.Network>;
  readonly #machine: Machine;
  readonly #provider: docker.Provider;
  /** Path of the configuration for ssh, once its files are there. */
  readonly #sshConfig: pulumi.Output<string>;

  constructor(name: string, args: HostArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:host:Host", name, {}, opts);
    this.#machine = args.machine;
    const { id, address, sshPort, user, hostKey, privateKey, bootstrap } = args.machine;
    this.ready = new command.remote.Command(
      `${name}-ready`,
      this.#script({ create: renderReadinessScript(), stdin: bootstrap }),
      this.#replaceWithMachine(this, { dependsOn: [args.machine.resource] }),
    );
    const folder = `${args.workFolder}/ssh`;
    // The path of a file, not what is in it: nothing about it is secret.
    this.#sshConfig = pulumi.unsecret(
      pulumi.all([id, address, hostKey, privateKey]).apply(([machineId, at, key, secret]) => {
        const access = { machineId, address: at, port: sshPort, user, hostKey: key, privateKey: secret };
        materialise(folder, renderSshFiles(folder, access));
        return `${folder}/config`;
      }),
    );
    const sshOpts = this.#sshConfig.apply((config) => ["-F", config]);
    this.#provider = new docker.Provider(
      `${name}-docker`,
      { host: `ssh://${SSH_ALIAS}`, sshOpts, disableDockerDaemonCheck: true },
      { parent: this },
    );
    this.networks = new Map(
      args.networks.map((network) => [network, this.#network(`${name}-network-${network}`, network)]),
    );
    this.registerOutputs();
  }

  /** Options of a Docker resource on this host: the only place that knows how it is tied to the machine. */
  resourceOptions(parent: pulumi.Resource, extra: pulumi.CustomResourceOptions = {}): pulumi.CustomResourceOptions {
    return {
      ...this.#replaceWithMachine(parent, { ...extra, dependsOn: [this.ready, ...list(extra.dependsOn)] }),
      provider: this.#provider,
    };
  }

  /** A script on this host, run once the machine is ready: the only place that makes one. */
  remoteCommand(
    name: string,
    args: HostCommandArgs,
    parent: pulumi.Resource,
    extra: pulumi.CustomResourceOptions = {},
  ): command.remote.Command {
    return new command.remote.Command(
      name,
      this.#script(args),
      this.#replaceWithMachine(parent, { ...extra, dependsOn: [this.ready, ...list(extra.dependsOn)] }),
    );
  }

  /** A script for sh on the machine of the run, which reaches this host by `ssh -F "$VPAI_SSH" vpai`, once it is ready. */
  localCommand(
    name: string,
    { create, stdin, environment }: LocalCommandArgs,
    parent: pulumi.Resource,
  ): command.local.Command {
    return new command.local.Command(
      name,
      {
        create,
        stdin,
        environment: { ...environment, VPAI_SSH: this.#sshConfig },
        triggers: [this.#machine.id],
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      this.#replaceWithMachine(parent, { dependsOn: [this.ready] }),
    );
  }

  #script({ create, delete: deletion, stdin, triggers = [] }: HostCommandArgs): command.remote.CommandArgs {
    const { id, address, sshPort, user, hostKey, privateKey } = this.#machine;
    return {
      connection: {
        host: address,
        port: sshPort,
        user,
        hostKey,
        privateKey,
        // A new server answers after its first boot: ten minutes of refused or dropped connections at most.
        dialErrorLimit: 100,
        perDialTimeout: 6,
      },
      create,
      ...(deletion !== undefined && { delete: deletion }),
      ...(stdin !== undefined && { stdin }),
      triggers: [id, ...triggers],
      // Output would be shown even where it is secret; a failure still prints it, so no script prints one.
      logging: "none",
      addPreviousOutputInEnv: false,
    };
  }

  #replaceWithMachine(parent: pulumi.Resource, extra: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
    const { id, resource, deletedWithServer } = this.#machine;
    // Another machine replaces everything on it. Not by `replaceWith`: the engine (3.259) then deletes each thing on
    // the old machine first, in any order, and a network that a container still uses does not go. With the trigger
    // the old machine goes first, and what was on it is not found on the new one, which counts as deleted.
    return { ...extra, parent, replacementTrigger: id, ...(deletedWithServer && { deletedWith: resource }) };
  }

  #network(name: string, network: NetworkName): docker.Network {
    const { subnet, gateway, internal, isolated } = NETWORKS[network];
    const options = isolated ? { options: { "com.docker.network.bridge.enable_icc": "false" } } : {};
    return new docker.Network(
      name,
      { name: network, driver: "bridge", internal, ipamConfigs: [{ subnet, gateway }], ...options },
      // A network's name and subnet stay in use until the old one is deleted.
      this.resourceOptions(this, { deleteBeforeReplace: true }),
    );
  }
}

function list(dependsOn: pulumi.ResourceOptions["dependsOn"]): pulumi.Resource[] {
  return dependsOn === undefined ? [] : ([dependsOn].flat() as pulumi.Resource[]);
}
