import type * as command from "@pulumi/command";
import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import { reconcileDatabase } from "../database/database.ts";
import type { ServiceContext } from "./model/context.ts";
import type { ServiceDefinition } from "./model/definition.ts";
import type { Provision, ProvisionPlan } from "./model/provision.ts";
import { type ContainerPlan, planContainer, PUBLISH_ADDRESS } from "./plan/container.ts";
import type { DatabasePlan } from "./plan/databases.ts";
import { planFiles } from "./plan/files.ts";
import { revealFrom, secretsOfFiles, secretsOfProvision } from "./plan/secrets.ts";
import type { Host } from "../host/host.ts";
import type { Secrets } from "../secrets/secrets.ts";
import type { Images } from "./image-pulls.ts";

/**
 * Settings that Docker cannot change of an existing container, and of which the provider (or an older release of it) says
 * that it can: the state would have the new value, the container the old one, and no later run a difference.
 * kreuzwerker/terraform-provider-docker#988.
 */
const NOT_CHANGED_IN_PLACE = ["healthcheck", "init", "tmpfs"];

/** How long a service may answer "later" (503, or nothing) to what is set in it. */
const PROVISION_SECONDS = 60;

export interface DockerServiceArgs {
  readonly definition: ServiceDefinition;
  readonly context: ServiceContext;
  readonly host: Host;
  readonly images: Images;
  readonly secrets: Secrets;
  readonly database?: DatabasePlan;
  /** Gates of the services that it cannot start without. */
  readonly after: readonly command.remote.Command[];
}

/**
 * One container and what it needs: its files (before it), its database, the gate that says it is healthy and what is
 * set in it over its own API (after it). Changed files replace the container, but for those that it takes while it runs.
 * Every setting that Docker would answer with a default of its own is set, so that a second run finds no difference.
 */
export class DockerService extends pulumi.ComponentResource {
  /** Succeeds once the container is healthy and holds what it was given: what dependants wait for. */
  readonly ready: command.remote.Command;
  readonly container: docker.Container;

  constructor(name: string, args: DockerServiceArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:service:DockerService", name, {}, opts);
    const { definition, context, host, images, secrets, database, after } = args;
    const plan = planContainer(definition, context);
    const files = secrets
      .pick(secretsOfFiles(definition, context))
      .apply((values) => planFiles(definition, context, images.pin(name), revealFrom(values)));
    const placed = host.remoteCommand(
      `${name}-files`,
      { create: "sudo -n /usr/local/lib/vpai/files", stdin: pulumi.secret(pulumi.jsonStringify(files)) },
      this,
      { dependsOn: [secrets.permanentGuard, ...(definition.reload ? images.all : [])] },
    );
    const script = definition.prepare?.(context);
    const prepared = [
      ...(database
        ? [reconcileDatabase(`${name}-database`, host, database, secrets.get(database.password), this, after)]
        : []),
      ...(script
        ? [
            host.remoteCommand(`${name}-prepared`, { ...script, triggers: after.map(({ id }) => id) }, this, {
              dependsOn: [placed, ...after],
            }),
          ]
        : []),
    ];
    this.container = new docker.Container(
      `${name}-container`,
      {
        ...containerArgs(plan),
        image: images.id(name),
        labels: [
          { label: "vpai.service", value: name },
          { label: "vpai.files", value: files.digest },
        ],
      },
      host.resourceOptions(this, {
        dependsOn: [
          placed,
          ...prepared,
          ...images.all,
          ...plan.networks.flatMap((n) => host.networks.get(n) ?? []),
          ...after,
        ],
        deleteBeforeReplace: true,
        replaceOnChanges: NOT_CHANGED_IN_PLACE,
      }),
    );
    if (definition.route !== undefined && definition.port !== undefined) {
      // It depends on the container, so the engine deletes it first: no request is lost when the container is replaced, or
      // one that it cannot work without.
      host.remoteCommand(
        `${name}-open`,
        {
          create: `/usr/local/lib/vpai/drain open ${plan.name} ${definition.port} ${definition.route.healthPath}`,
          delete: `/usr/local/lib/vpai/drain close ${plan.name} ${definition.port}`,
          triggers: [this.container.id, ...after.map(({ id }) => id)],
        },
        this,
        // A gate that is run again has no container that goes with it: opened first, the port would then be closed for good.
        { deleteBeforeReplace: true },
      );
    }
    const clients = plan.ports.filter(({ ip }) => ip === PUBLISH_ADDRESS);
    if (clients.some(({ protocol }) => protocol === "tcp")) {
      // What publishes a port has no edge in front of it that would hold a request. One service may: the script has one table.
      const held = [plan.name, ...clients.map(({ external, protocol }) => `${external}/${protocol}`)].join(" ");
      host.remoteCommand(
        `${name}-admit`,
        {
          create: `/usr/local/lib/vpai/hold off ${held}`,
          delete: `/usr/local/lib/vpai/hold on ${held}`,
          triggers: [this.container.id],
        },
        this,
        { deleteBeforeReplace: true },
      );
    }
    const healthy = host.remoteCommand(
      `${name}-healthy`,
      {
        create: `/usr/local/lib/vpai/gate ${plan.name} ${plan.gateSeconds} ${plan.pids}`,
        triggers: [this.container.id],
      },
      this,
    );
    this.ready = definition.provision ? this.#provision(name, args, definition.provision, healthy) : healthy;
    this.registerOutputs();
  }

  #provision(
    name: string,
    { definition, context, host, secrets }: DockerServiceArgs,
    { port, steps }: Provision,
    healthy: command.remote.Command,
  ): command.remote.Command {
    const plan = secrets
      .pick(secretsOfProvision(definition, context))
      .apply((values): ProvisionPlan => ({
        container: definition.name,
        port,
        deadlineSeconds: PROVISION_SECONDS,
        steps: steps(context, revealFrom(values)),
      }));
    return host.remoteCommand(
      `${name}-provisioned`,
      {
        create: "/usr/local/lib/vpai/provision",
        stdin: pulumi.secret(pulumi.jsonStringify(plan)),
        triggers: [this.container.id],
      },
      this,
      { dependsOn: [healthy] },
    );
  }
}

/** The plan in the provider's words, with every cure of a difference on every run. */
export function containerArgs(plan: ContainerPlan): Omit<docker.ContainerArgs, "image" | "labels"> {
  return {
    name: plan.name,
    ...(plan.entrypoint && { entrypoints: [...plan.entrypoint] }),
    ...(plan.command && { command: [...plan.command] }),
    ...(plan.cgroupHost && { cgroupnsMode: "host" }),
    user: plan.user,
    envs: [...plan.envs],
    restart: "unless-stopped",
    init: true,
    networkMode: plan.hostNetwork ? "host" : "bridge",
    networksAdvanced: plan.networks.map((name) => ({ name })),
    ...(plan.devices.length > 0 && {
      devices: plan.devices.map((path) => ({ hostPath: path, containerPath: path, permissions: "rwm" })),
    }),
    mounts: plan.mounts.map((mount) => ({ ...mount, type: "bind" })),
    ports: plan.ports.map((port) => ({ ...port })),
    healthcheck: { ...plan.healthcheck, tests: [...plan.healthcheck.tests] },
    capabilities: { adds: [...plan.capabilityAdds], drops: ["ALL"] },
    securityOpts: ["no-new-privileges:true"],
    readOnly: plan.readOnly,
    tmpfs: { ...plan.tmpfs },
    memory: plan.memoryMb,
    // Equal to memory: no swap. Left out, the daemon's default is a difference on every run.
    memorySwap: plan.memoryMb,
    shmSize: plan.shmMb,
    cpus: plan.cpus,
    logDriver: "json-file",
    logOpts: { "max-size": "10m", "max-file": "3" },
    destroyGraceSeconds: plan.destroyGraceSeconds,
    // The same for a `docker stop` or `restart` by hand, which would kill a database after ten seconds.
    stopTimeout: plan.destroyGraceSeconds,
    mustRun: true,
    // The gate judges health: the provider would wait at creation only.
    wait: false,
  };
}
