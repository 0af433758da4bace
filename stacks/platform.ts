import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import { Host } from "../components/host/host.ts";
import { Secrets } from "../components/secrets/secrets.ts";
import { configSecret } from "../components/service/model/secrets.ts";
import { startupDependencies } from "../components/service/plan/order.ts";
import { DockerService } from "../components/service/docker-service.ts";
import { Images } from "../components/service/image-pulls.ts";
import { ExistingServer } from "../components/vps/existing/server.ts";
import { HetznerServer } from "../components/vps/hetzner/server.ts";
import type { Machine } from "../components/vps/machine.ts";
import type { Plan } from "./plan.ts";
import type { SecretKey } from "./settings/schema.ts";
import type { Settings } from "./settings/load.ts";

export interface Platform {
  readonly machine: Machine;
  readonly secrets: Secrets;
  readonly services: ReadonlyMap<string, DockerService>;
}

/** Settings' secrets by name; undefined where one is not set. */
export type SecretSource = (key: SecretKey) => pulumi.Output<string> | undefined;

/** The whole deployment, in the order of creation. */
export function buildPlatform(settings: Settings, plan: Plan, secret: SecretSource): Platform {
  const machine = buildMachine(settings, secret);
  const host = new Host("host", { machine, workFolder: settings.workFolder, networks: plan.networks });
  const secrets = new Secrets("secrets", {
    host,
    plan: plan.secrets,
    protect: settings.protect,
    provided: providedSecrets(settings, secret),
  });
  const images = new Images("images", { host, images: plan.images });
  const services = new Map<string, DockerService>();
  for (const definition of plan.services) {
    const after = startupDependencies(definition, plan.services);
    const database = plan.databases.get(definition.name);
    const service = new DockerService(definition.name, {
      definition,
      context: plan.context,
      host,
      images,
      secrets,
      ...(database && { database }),
      after: gates(services, after),
    });
    services.set(definition.name, service);
  }
  return { machine, secrets, services };
}

function buildMachine(settings: Settings, secret: SecretSource): Machine {
  const { stack, ssh, protect, vps } = settings;
  if (vps.provider === "existing") {
    const { address, hostKey, generation, port, user } = vps;
    const [privateKey, password] = [secret("rootPrivateKey"), secret("rootPassword")];
    const first = { port, user, ...(privateKey && { privateKey }), ...(password && { password }) };
    return new ExistingServer("vps", { address, first, hostKey, generation, ssh, protect }).machine;
  }
  const token = secret("hetznerToken");
  if (!token) throw new Error("settings were read without a Hetzner token");
  return new HetznerServer("vps", {
    stack,
    token,
    location: vps.location,
    generation: vps.generation,
    ssh,
    protect,
    ...(settings.hetznerEndpoint && { endpoint: settings.hetznerEndpoint }),
    serverTypes: [vps.serverType, ...vps.serverTypeFallbacks],
  }).machine;
}

/** Secrets of the configuration for the products, by name. */
function providedSecrets(settings: Settings, secret: SecretSource): Map<string, pulumi.Output<string>> {
  return new Map(
    settings.providedSecrets.flatMap((key) => {
      const value = secret(key);
      return value ? [[configSecret(key), value] as const] : [];
    }),
  );
}

function gates(services: ReadonlyMap<string, DockerService>, names: readonly string[]): command.remote.Command[] {
  return names.flatMap((name) => services.get(name)?.ready ?? []);
}
