import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { allDependencies, startupDependencies } from "../../components/service/plan/order.ts";
import { stackSecrets } from "../../components/service/plan/secrets.ts";
import { targetPlan, type PlannedService } from "../../ops/deploy/target-plan.ts";
import { catalogue } from "../../stacks/catalogue.ts";
import type { Recorded } from "../support/mocks.ts";
import { cleanUp, runProgram } from "../support/program.ts";

// A run of some services names its targets by the names that the program gives its resources: held here against the program.

let resources: readonly Recorded[];
beforeAll(async () => {
  resources = (await runProgram("prod", false, { "vpai:vpn": { host: true } })).resources;
});
afterAll(cleanUp);

const services: readonly PlannedService[] = catalogue.map((definition) => ({
  name: definition.name,
  networks: definition.networks,
  startupDependencies: startupDependencies(definition, catalogue),
  needs: allDependencies(definition, catalogue),
  accountHolders: [],
}));

function targetsOf(service: string, known: readonly Recorded[]): Set<string> {
  const { flags } = targetPlan({
    wanted: [service],
    services,
    known,
    stack: "prod",
    secrets: Object.keys(stackSecrets(catalogue)),
  });
  return new Set(flags.map((flag) => flag.replace("**::", "")));
}

/** Everything below a service's component, with its image. */
function partsOf(service: string): Recorded[] {
  const root = resources.find(({ type, name }) => type === "vpai:service:DockerService" && name === service);
  const parts = root ? [root] : [];
  for (const { urn } of parts) parts.push(...resources.filter(({ parent }) => parent === urn));
  return [...parts, ...resources.filter(({ name }) => name === `images-${service}`)];
}

describe.each(catalogue.map(({ name }) => [name]))("a run of %s alone", (service) => {
  test("is told of each of its parts, in a stack that lacks it", () => {
    const parts = partsOf(service);
    const targets = targetsOf(
      service,
      resources.filter((resource) => !parts.includes(resource)),
    );
    expect(parts.length).toBeGreaterThan(4);
    expect(parts.map(({ name }) => name).filter((name) => !targets.has(name))).toEqual([]);
  });

  test("needs nothing that is neither there nor in the run, in a stack that lacks every service but what it starts after", () => {
    const there = new Set(services.find(({ name }) => name === service)?.startupDependencies);
    for (const name of there)
      services.find((each) => each.name === name)?.startupDependencies.forEach((need) => there.add(need));
    const absent = catalogue.flatMap(({ name }) => (there.has(name) ? [] : partsOf(name)));
    const shared = resources.filter(({ name }) => /^(secrets-.*|host-network-.*)$/.test(name));
    const known = resources.filter((resource) => !absent.includes(resource) && !shared.includes(resource));
    const targets = targetsOf(service, known);
    const run = resources.filter(({ name }) => targets.has(name));
    const missing = run.flatMap(({ name, options }) =>
      options.dependencies
        .map((urn) => resources.find((resource) => resource.urn === urn))
        .filter((needed) => needed && !known.includes(needed) && !run.includes(needed))
        .map((needed) => `${name} needs ${needed?.name}`),
    );
    expect(missing).toEqual([]);
  });
});
