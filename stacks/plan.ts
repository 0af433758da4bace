import { type Fault, OperatorError, renderFaults } from "../shared/errors.ts";
import type { ServiceContext } from "../components/service/model/context.ts";
import type { ServiceDefinition } from "../components/service/model/definition.ts";
import type { NetworkName } from "../components/service/model/facets.ts";
import { checkNames, checkPorts, checkVolumes } from "../components/service/plan/checks.ts";
import { type DatabasePlan, planDatabases } from "../components/service/plan/databases.ts";
import { planMemory } from "../components/service/plan/memory.ts";
import { topologicalOrder } from "../components/service/plan/order.ts";
import { collectRequirements } from "../components/service/plan/requirements.ts";
import { planRoutes } from "../components/service/plan/routes.ts";
import { checkSecrets, type PlannedSecret, planSecrets } from "../components/service/plan/secrets.ts";
import { catalogue, imagePins } from "./catalogue.ts";
import { serviceSettings, type Settings } from "./settings/load.ts";

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
  /** Warnings for the operator before the run. */
  readonly warnings: readonly string[];
}

/** @throws OperatorError with every fault */
export function planDeployment(settings: Settings, all: readonly ServiceDefinition[] = catalogue): Plan {
  const definitions = all.filter(({ name }) => !settings.disabledServices.includes(name));
  const routes = planRoutes(definitions, settings);
  const pins = imagePins(settings.images, definitions);
  const secrets = planSecrets(
    definitions,
    all.filter((each) => !definitions.includes(each)),
  );
  const context: ServiceContext = {
    domain: settings.domain,
    publicPort: settings.publicPort,
    timezone: settings.timezone,
    size: settings.size,
    routes,
    settings: serviceSettings(settings),
    requirements: collectRequirements(definitions, pins),
  };
  const memory = planMemory(definitions, settings.size, settings.machine);
  const faults = [
    ...checkDisabled(settings, all),
    ...checkNames(definitions, routes),
    ...checkPorts(definitions, settings.ssh.port),
    ...checkVolumes(definitions),
    ...memory.faults,
    ...checkImages(settings, definitions, pins),
    ...checkSecrets(definitions, context, secrets),
  ];
  if (faults.length > 0) throw new OperatorError(faults);
  return {
    services: topologicalOrder(definitions),
    context,
    images: new Map(Object.entries(pins).map(([name, pin]) => [name, settings.lock?.[pin] ?? pin])),
    networks: [...new Set(definitions.flatMap(({ networks }) => networks))].sort(),
    databases: new Map(planDatabases(definitions).map((database) => [database.service, database])),
    secrets,
    warnings: memory.warnings.map((warning) => renderFaults([warning])),
  };
}

function checkDisabled({ disabledServices }: Settings, all: readonly ServiceDefinition[]): Fault[] {
  const names = all.map(({ name }) => name);
  return disabledServices
    .filter((name) => !names.includes(name))
    .map((name) => ({
      key: "vpai:disabledServices",
      found: name,
      allowed: names.join(", "),
      fix: "correct the name, or take it out of the list",
    }));
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
