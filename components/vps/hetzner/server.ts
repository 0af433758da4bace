import * as command from "@pulumi/command";
import * as hcloud from "@pulumi/hcloud";
import * as pulumi from "@pulumi/pulumi";
import type { DeclaredPort } from "../../host/firewall/plan.ts";
import { hostFiles, renderBootstrap } from "../bootstrap.ts";
import { HETZNER_ENDPOINT } from "./api.ts";
import { parseOffer } from "./choose-offer.ts";
import { renderCloudInit } from "./cloud-init.ts";
import { firewallRules } from "./firewall.ts";
import { permanentKey, publicKey } from "../keys.ts";
import { DEPLOY_USER, type Machine } from "../machine.ts";

export interface HetznerServerArgs {
  /** Name of everything there, and value of the label `vpai-stack`. */
  readonly stack: string;
  readonly token: pulumi.Output<string>;
  /** @default {@link HETZNER_ENDPOINT} */
  readonly endpoint?: string;
  /** Candidate server types, in order of preference. */
  readonly serverTypes: readonly string[];
  /** Candidate locations, in order of preference. */
  readonly locations: readonly [string, ...string[]];
  /** Another number makes another server, in place of the one there is. */
  readonly generation: number;
  readonly ssh: { readonly port: number };
  /** What its firewall lets in. */
  readonly openPorts: readonly DeclaredPort[];
  /** Whether keys, address and server refuse to be deleted: in the engine, and address and server at Hetzner too. */
  readonly protect: boolean;
}

/**
 * A server at Hetzner that is known before it exists: its address and its host key outlive it, so DNS and known_hosts
 * stay right when it is replaced. A replacement deletes first, because only one server can hold the address. Nothing
 * is made before the preflight has passed.
 *
 *     new HetznerServer("vps", { stack: "prod", token, serverTypes: ["cx33"], locations: ["fsn1"], generation: 1, ssh, openPorts, protect: true });
 */
export class HetznerServer extends pulumi.ComponentResource {
  readonly machine: Machine;
  /** The server type that was had. */
  readonly serverType: pulumi.Output<string>;

  constructor(name: string, args: HetznerServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:vps:HetznerServer", name, {}, opts);
    const { stack, protect } = args;
    const physical = `vpai-${stack}`;
    const labels = { "vpai-stack": stack };
    const hostKey = permanentKey(`${name}-host-key`, this, protect);
    const clientKey = permanentKey(`${name}-client-key`, this, protect);
    const chosen = this.#preflight(name, args, publicKey(clientKey));
    const [first] = args.locations;
    // Before there were candidates of a location, the output was the type alone.
    const offer = chosen.stdout.apply((text) => parseOffer(text) ?? { type: text.trim(), location: first });
    this.serverType = offer.type;

    const provider = new hcloud.Provider(
      `${name}-provider`,
      { token: args.token, ...(args.endpoint && { endpoint: args.endpoint }) },
      { parent: this },
    );
    const there = { parent: this, provider, dependsOn: [chosen] };
    const sshKey = new hcloud.SshKey(
      `${name}-ssh-key`,
      { name: physical, publicKey: publicKey(clientKey), labels },
      there,
    );
    const address = this.#address(name, args, offer.location, there);
    const firewall = new hcloud.Firewall(
      `${name}-firewall`,
      {
        name: physical,
        rules: firewallRules(args.openPorts).map((rule) => ({ ...rule, sourceIps: [...rule.sourceIps] })),
        labels,
      },
      there,
    );
    const bootstrap = publicKey(clientKey).apply((deployKey) =>
      renderBootstrap({ sshPorts: [args.ssh.port], deployKey, passwordLogin: false, files: hostFiles() }),
    );
    const userData = pulumi
      .all([hostKey.privateKeyOpenssh, publicKey(hostKey), bootstrap])
      .apply(([key, pub, script]) => renderCloudInit({ hostKey: { private: key, public: pub }, bootstrap: script }));
    const server = new hcloud.Server(
      `${name}-server`,
      {
        name: physical,
        serverType: this.serverType,
        image: "debian-12",
        // Only a server at its location can have the address.
        location: address.location,
        sshKeys: [sshKey.id],
        // Given at creation: in force before the first boot, which an attachment is not.
        firewallIds: [firewall.id.apply(Number)],
        publicNets: [{ ipv4Enabled: true, ipv4: address.id.apply(Number), ipv6Enabled: true }],
        userData: pulumi.secret(userData),
        // In Hetzner's console and for other programs too. `vpai` lifts it where the engine has been allowed to delete.
        deleteProtection: protect,
        rebuildProtection: protect,
        labels,
      },
      {
        ...there,
        protect,
        deleteBeforeReplace: true,
        replacementTrigger: String(args.generation),
        // Each of them would replace the server; what they carry reaches an existing one over SSH.
        ignoreChanges: ["userData", "sshKeys", "image"],
      },
    );
    this.machine = {
      id: server.id,
      resource: server,
      deletedWithServer: true,
      address: address.ipAddress,
      sshPort: args.ssh.port,
      user: DEPLOY_USER,
      hostKey: publicKey(hostKey),
      privateKey: pulumi.secret(clientKey.privateKeyOpenssh),
      bootstrap,
    };
    this.registerOutputs();
  }

  /** It outlives its server. */
  #address(
    name: string,
    { stack, protect, locations }: HetznerServerArgs,
    location: pulumi.Input<string>,
    there: pulumi.CustomResourceOptions,
  ): hcloud.PrimaryIp {
    return new hcloud.PrimaryIp(
      `${name}-address`,
      {
        name: `vpai-${stack}`,
        type: "ipv4",
        assigneeType: "server",
        location,
        autoDelete: false,
        deleteProtection: protect,
        labels: { "vpai-stack": stack },
      },
      {
        ...there,
        protect,
        // Both would have the same name.
        deleteBeforeReplace: true,
        // It stays where it is, even if a later preflight finds another, until the setting is another.
        replacementTrigger: locations[0],
        // Since August 2026 the API answers "unassigned" until a server has it: a difference on the next run.
        ignoreChanges: ["assigneeType", "location"],
      },
    );
  }

  /** Runs when a server is to be made, and then never again: what it chose is in its output. `vpai up` repeats it until there is one. */
  #preflight(name: string, args: HetznerServerArgs, clientKey: pulumi.Output<string>): command.local.Command {
    return new command.local.Command(
      `${name}-preflight`,
      {
        interpreter: ["node", "--disable-warning=ExperimentalWarning", "components/vps/hetzner/preflight.ts"],
        // An argument, because what comes on stdin is hidden in errors, and these are what an error is about.
        create: pulumi.jsonStringify({
          endpoint: args.endpoint ?? HETZNER_ENDPOINT,
          wanted: { types: args.serverTypes, locations: args.locations },
          sshKey: { name: `vpai-${args.stack}`, publicKey: clientKey },
        }),
        stdin: pulumi.secret(args.token),
        triggers: [args.serverTypes.join(" "), args.locations.join(" "), args.generation],
        logging: "none",
        addPreviousOutputInEnv: false,
      },
      { parent: this, ignoreChanges: ["create", "interpreter", "stdin", "logging"] },
    );
  }
}
