import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import { accountHolders, allDependencies, startupDependencies } from "../../components/service/plan/order.ts";
import { planSecrets } from "../../components/service/plan/secrets.ts";
import { catalogue } from "../../stacks/catalogue.ts";
import type { StackContext } from "../stack/context.ts";
import { ask } from "../engine/run.ts";
import { type KnownResource, type OnlyPlan, planOnly, requireServices } from "./target-plan.ts";
import { StackFile } from "../stack/config-file.ts";
import { readCheckpoint } from "../stack/file-backend.ts";

/** The services that a stack has. */
function servicesOf(stack: string): ServiceDefinition[] {
  const { disabledServices } = StackFile.read(stack);
  return catalogue.filter(({ name }) => !disabledServices.includes(name));
}

/** Refuses what `--only` cannot mean, before anything is started. */
export function requireOnly(wanted: readonly string[], stack: string): void {
  requireServices(
    wanted,
    stack,
    servicesOf(stack).map(({ name }) => name),
  );
}

/** What a run of some services is, by what the stack's state has. */
export async function onlyOf(context: StackContext, wanted: readonly string[]): Promise<OnlyPlan> {
  const definitions = servicesOf(context.stack);
  return planOnly({
    wanted,
    services: definitions.map((definition) => ({
      name: definition.name,
      networks: definition.networks,
      startupDependencies: startupDependencies(definition, definitions),
      needs: allDependencies(definition, definitions),
      knownTo: accountHolders(definition, definitions),
    })),
    secrets: Object.keys(planSecrets(definitions)),
    known: await resourcesOf(context),
    stack: context.stack,
  });
}

async function resourcesOf(context: StackContext): Promise<readonly KnownResource[]> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return [];
  const text = await ask(context, ["stack", "export", "--stack", context.stack]);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: KnownResource[] } };
  return deployment.resources ?? [];
}
