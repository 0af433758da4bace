import type * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { BACKUP_PASSWORD } from "../components/backup/credentials.ts";
import {
  BACKUP_LEAVES,
  BACKUP_SOFTWARE,
  type BackupPlan,
  backupRunner,
  backupSoftware,
} from "../components/backup/plan.ts";
import { planRecords } from "../components/dns/plan.ts";
import type { DnsRecord } from "../components/dns/record.ts";
import { ZoneRecords } from "../components/dns/zone-records.ts";
import { HostFirewall } from "../components/host/firewall/host-firewall.ts";
import { hostPorts } from "../components/host/firewall/plan.ts";
import { HostSoftware } from "../components/host/software/host-software.ts";
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
import { zonePlace } from "./settings/dns.ts";
import type { SecretKey } from "./settings/schema.ts";
import type { Settings } from "./settings/parse.ts";

export interface Platform {
  readonly machine: Machine;
  readonly secrets: Secrets;
  readonly services: ReadonlyMap<string, DockerService>;
  /** Undefined where no zone is set. */
  readonly dns?: pulumi.Output<Dns>;
}

/** The DNS of a stack, as its outputs show it. */
export interface Dns {
  readonly provider: Settings["dns"]["provider"];
  readonly zone: string;
  readonly records: readonly DnsRecord[];
}

/** Settings' secrets by name; undefined where one is not set. */
export type SecretSource = (key: SecretKey) => pulumi.Output<string> | undefined;

/** The whole deployment, in the order of creation. */
export function buildPlatform(settings: Settings, plan: Plan, secret: SecretSource): Platform {
  const machine = buildMachine(settings, plan, secret);
  const dns = buildDns(settings, plan, machine);
  const host = new Host("host", { machine, workFolder: settings.workFolder, networks: plan.networks });
  new HostFirewall("firewall", {
    host,
    table: { ...plan.firewall, ports: hostPorts(plan.firewall) },
    mayClose: plan.mayClose,
  });
  const software = new HostSoftware("software", { host, software: plan.software });
  const secrets = new Secrets("secrets", {
    host,
    plan: plan.secrets,
    protect: settings.protect,
    provided: providedSecrets(settings, secret),
  });
  if (plan.backup) buildBackup({ host, plan: plan.backup, secrets, secret, after: [software] });
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
  return { machine, secrets, services, ...(dns && { dns }) };
}

/** Records need the address alone: they spread while the server boots. */
function buildDns(settings: Settings, plan: Plan, { address }: Machine): pulumi.Output<Dns> | undefined {
  const { stack, domain, dns } = settings;
  const { provider, zone, ttl, issuers } = dns;
  if (zone === undefined) return undefined;
  const hosts = plan.context.routes.map(({ host }) => host);
  const records = address.apply((ipv4) => planRecords({ stack, domain, zone, hosts, ipv4, ttl, issuers }));
  const place = zonePlace(settings);
  if (place) new ZoneRecords("dns", { ...place, records });
  return records.apply((each) => ({ provider, zone, records: each }));
}

function buildMachine(settings: Settings, { firewall }: Plan, secret: SecretSource): Machine {
  const { stack, ssh, protect, vps } = settings;
  if (vps.provider === "existing") {
    const { address, hostKey, generation, port, user, passwordLogin } = vps;
    const [privateKey, password] = [secret("rootPrivateKey"), secret("rootPassword")];
    const first = { port, user, ...(privateKey && { privateKey }), ...(password && { password }) };
    const access = { port: ssh.port, passwordLogin };
    return new ExistingServer("vps", { address, first, hostKey, generation, ssh: access, protect }).machine;
  }
  const token = secret("hetznerToken");
  if (!token) throw new Error("settings were read without a Hetzner token");
  return new HetznerServer("vps", {
    stack,
    token,
    locations: [vps.location, ...vps.locationFallbacks],
    generation: vps.generation,
    ssh,
    openPorts: firewall.ports,
    protect,
    ...(settings.hetznerEndpoint && { endpoint: settings.hetznerEndpoint }),
    serverTypes: [vps.serverType, ...vps.serverTypeFallbacks],
  }).machine;
}

interface BackupParts {
  readonly host: Host;
  readonly plan: BackupPlan;
  readonly secrets: Secrets;
  readonly secret: SecretSource;
  readonly after: readonly pulumi.Resource[];
}

function buildBackup({ host, plan, secrets, secret, after }: BackupParts): HostSoftware {
  const [accessKey, secretKey, heartbeat] = [
    secret("backupAccessKey"),
    secret("backupSecretKey"),
    secret("backupHeartbeatUrl"),
  ];
  const runner = backupRunner();
  const software = pulumi
    .all([accessKey ?? "", secretKey ?? "", secrets.get(BACKUP_PASSWORD), heartbeat])
    .apply(([access, key, password, url]) =>
      backupSoftware(
        plan,
        { accessKey: access, secretKey: key, password, ...(url !== undefined && { heartbeat: url }) },
        runner,
      ),
    );
  return new HostSoftware("backup", {
    host,
    software: pulumi.secret(software),
    resource: BACKUP_SOFTWARE,
    leaves: BACKUP_LEAVES,
    // After a lost state, the server has the only copy of the right password.
    after: [...after, secrets.permanentGuard],
  });
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
