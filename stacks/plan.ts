import { type Fault, OperatorError, renderFaults } from "../shared/errors.ts";
import type { Route, ServiceContext } from "../components/service/model/context.ts";
import { vpnRanges, vpnSources } from "../components/service/model/vpn.ts";
import { acmeDirectory } from "../components/service/model/issuer.ts";
import type { ServiceDefinition } from "../components/service/model/definition.ts";
import type { NetworkName } from "../components/service/model/facets.ts";
import { ANYWHERE, type FirewallPlan, planFirewall } from "../components/host/firewall/plan.ts";
import { type BackupPlan, type BackupSettings, planBackup } from "../components/backup/plan.ts";
import { planFail2ban } from "../components/host/software/fail2ban.ts";
import type { HostSoftware } from "../components/host/software/model.ts";
import {
  checkNames,
  checkPorts,
  checkVolumes,
  type OtherPort,
  type SshdPort,
} from "../components/service/plan/checks.ts";
import { watchedLogs } from "../components/service/plan/refusals.ts";
import { type DatabasePlan, planDatabases } from "../components/service/plan/databases.ts";
import { planMemory } from "../components/service/plan/memory.ts";
import { allDependencies, topologicalOrder } from "../components/service/plan/order.ts";
import { collectRequirements } from "../components/service/plan/requirements.ts";
import { planRoutes } from "../components/service/plan/routes.ts";
import { checkSecrets, type PlannedSecret, stackSecrets } from "../components/service/plan/secrets.ts";
import { catalogue, deployedServices, imagePins } from "./catalogue.ts";
import { nearName } from "./settings/errors.ts";
import { serviceSettings, type Settings } from "./settings/parse.ts";

/** A whole deployment as plain data: everything that can be wrong is found here, before any resource. */
export interface Plan {
  /** Each after the services that it depends on. */
  readonly services: readonly ServiceDefinition[];
  readonly context: ServiceContext;
  /** Image by service, as the host pulls it. */
  readonly images: ReadonlyMap<string, string>;
  readonly networks: readonly NetworkName[];
  readonly databases: ReadonlyMap<string, DatabasePlan>;
  readonly secrets: Readonly<Record<string, PlannedSecret>>;
  /** The ports of the server that clients may reach. */
  readonly firewall: FirewallPlan;
  readonly software: HostSoftware;
  /** Whether its first rules may close what other software of the server listens on. */
  readonly mayClose: boolean;
  /** What is saved every night; undefined where the stack has no `vpai:backup`. */
  readonly backup?: BackupPlan;
  /** Warnings for the operator before the run. */
  readonly warnings: readonly string[];
}

/** @throws OperatorError with every fault */
export function planDeployment(settings: Settings, all: readonly ServiceDefinition[] = catalogue): Plan {
  const definitions = deployedServices(settings, all);
  const routes = planRoutes(definitions, settings);
  const pins = imagePins(settings.images, definitions);
  const secrets = stackSecrets(
    definitions,
    all.filter((each) => !definitions.includes(each)),
    settings.backup !== undefined,
  );
  const directory = acmeDirectory(settings.tls.issuer);
  const context: ServiceContext = {
    domain: settings.domain,
    publicPort: settings.publicPort,
    timezone: settings.timezone,
    size: settings.size,
    ...(directory !== undefined && { acmeDirectory: directory }),
    routes,
    settings: serviceSettings(settings),
    requirements: collectRequirements(definitions, pins),
  };
  const memory = planMemory(definitions, settings.size, settings.machine);
  const disabled = checkDisabled(settings, all);
  const faults = [
    ...disabled,
    // A service that is needed and disabled is reported by its setting.
    ...(disabled.length > 0 ? [] : checkNames(definitions, routes)),
    ...checkPorts(definitions, sshdPorts(settings), otherPorts(settings)),
    ...checkVolumes(definitions),
    ...memory.faults,
    ...checkImages(settings, definitions, pins),
    ...checkSecrets(definitions, context, secrets),
  ];
  if (faults.length > 0) throw new OperatorError(faults);
  const firewall = stackFirewall(settings, definitions);
  return {
    services: topologicalOrder(definitions),
    context,
    images: new Map(Object.entries(pins).map(([name, pin]) => [name, settings.lock?.[pin] ?? pin])),
    networks: [...new Set(definitions.flatMap(({ networks }) => networks))].sort(),
    databases: new Map(planDatabases(definitions).map((database) => [database.service, database])),
    secrets,
    firewall,
    ...(settings.backup && { backup: stackBackup(settings, settings.backup, definitions) }),
    software: stackSoftware(settings, definitions),
    mayClose: settings.vps.provider !== "existing" || settings.vps.openPorts !== undefined,
    warnings: [...memory.warnings.map((warning) => renderFaults([warning])), ...disabledWarnings(routes, definitions)],
  };
}

/** sshd keeps the port of the first login to an existing server: it is the way back in. */
function sshdPorts({ ssh, vps }: Pick<Settings, "ssh" | "vps">): SshdPort[] {
  const first = vps.provider === "existing" ? [{ setting: "vpai:vps.port", port: vps.port }] : [];
  return [{ setting: "vpai:ssh.port", port: ssh.port }, ...first];
}

/** Ports of other software on a server that exists already. */
function otherPorts({ vps }: Pick<Settings, "vps">): OtherPort[] {
  if (vps.provider !== "existing") return [];
  return (vps.openPorts ?? []).map((text, i) => {
    const [port, protocol] = text.split("/");
    return { setting: `vpai:vps.openPorts[${i}]`, port: Number(port), protocol: protocol === "udp" ? "udp" : "tcp" };
  });
}

/** The firewall of a deployment: the server's own, and Hetzner's in front of a server that was ordered there. */
export function stackFirewall(
  { ssh, vpnCidrs, vpn, vps }: Pick<Settings, "ssh" | "vpnCidrs" | "vpn" | "vps">,
  definitions: readonly ServiceDefinition[],
): FirewallPlan {
  return planFirewall({
    definitions,
    sshdPorts: sshdPorts({ ssh, vps }).map(({ port }) => port),
    others: otherPorts({ vps }).map(({ port, protocol }) => ({ port, protocol })),
    vpn: vpnRanges({ vpn }),
    cidrs: { ssh: ssh.allowedCidrs, vpn: vpnCidrs },
    enforcement: vps.provider === "hetzner" ? "hetzner" : "host",
  });
}

const stackBackup = (
  { stack, timezone }: Pick<Settings, "stack" | "timezone">,
  place: BackupSettings,
  definitions: readonly ServiceDefinition[],
): BackupPlan => planBackup({ stack, timezone, ...place, definitions });

/** Software on the server itself. Ranges that the owner has named are never banned. */
function stackSoftware(
  { ssh, vpnCidrs, vpn }: Pick<Settings, "ssh" | "vpnCidrs" | "vpn">,
  definitions: readonly ServiceDefinition[],
): HostSoftware {
  const anywhere: readonly string[] = ANYWHERE;
  const named = [...vpnSources({ vpn, vpnCidrs }), ...ssh.allowedCidrs.filter((range) => !anywhere.includes(range))];
  return planFail2ban({ trusted: [...new Set(named)], logs: definitions.flatMap(watchedLogs) });
}

function checkDisabled({ disabledServices }: Settings, all: readonly ServiceDefinition[]): Fault[] {
  const names = all.map(({ name }) => name);
  const left = all.filter(({ name }) => !disabledServices.includes(name));
  return disabledServices.flatMap((name, i): Fault[] => {
    const key = `vpai:disabledServices[${i}]`;
    const near = nearName(name, names);
    if (!names.includes(name)) {
      const correct = near === undefined ? "correct the name" : `correct the name (${near}?)`;
      return [
        {
          key,
          found: `${name}, which no service is called`,
          allowed: names.join(", "),
          fix: `${correct}, or take it out of the list`,
        },
      ];
    }
    // What a service only starts after, it can do without.
    const needs = (service: ServiceDefinition): string[] => allDependencies({ ...service, startsAfter: [] }, all);
    const users = left.filter((service) => needs(service).includes(name)).map((each) => each.name);
    if (users.length === 0) return [];
    return [
      {
        key,
        found: `${name}, which ${users.join(", ")} ${users.length === 1 ? "needs" : "need"}`,
        allowed: "services that no other one needs",
        fix: `take it out of the list, or add ${users.join(", ")}`,
      },
    ];
  });
}

/** What follows from leaving out the service that has port 443. */
function disabledWarnings(routes: readonly Route[], definitions: readonly ServiceDefinition[]): string[] {
  const isEdge = definitions.some(({ publish }) => publish?.some(({ port }) => port === 443));
  if (isEdge || routes.length === 0) return [];
  const names = [...new Set(routes.map(({ service }) => service))].join(", ");
  return [
    `vpai:disabledServices: no service is left that listens on port 443, so that the links of ${names} lead nowhere`,
  ];
}

function checkImages(
  { images, lock, workFolder }: Settings,
  definitions: readonly ServiceDefinition[],
  pins: Readonly<Record<string, string>>,
): Fault[] {
  const names = definitions.map(({ name }) => name);
  const unknown = Object.keys(images).filter((name) => !names.includes(name));
  const missing = lock ? Object.values(pins).filter((pin) => !(pin in lock)) : [];
  return [
    ...unknown.map((name) => ({
      key: `vpai:images.${name}`,
      found: "no such service",
      allowed: names.join(", "),
      fix: `correct the name, or \`pulumi config rm --path vpai:images.${name}\``,
    })),
    ...missing.map((pin) => ({
      key: `${workFolder}/images.json`,
      found: `${pin} is not in it`,
      fix: "run `npm start`: it publishes the images in the sandbox",
    })),
  ];
}
