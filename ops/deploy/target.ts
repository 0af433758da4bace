import type { ServiceDefinition } from "../../components/service/model/definition.ts";
import { accountHolders, allDependencies, startupDependencies } from "../../components/service/plan/order.ts";
import { stackSecrets } from "../../components/service/plan/secrets.ts";
import { deployedServices } from "../../stacks/catalogue.ts";
import type { StackContext } from "../stack/context.ts";
import { pulumiOutput } from "../engine/run.ts";
import { type KnownResource, type TargetPlan, targetPlan, requireServices } from "./target-plan.ts";
import { StackFile } from "../stack/config-file.ts";
import { readCheckpoint } from "../stack/file-backend.ts";

/** The services that a stack has. */
function servicesOf(stack: string): ServiceDefinition[] {
  return deployedServices(StackFile.read(stack));
}

/** Rejects an invalid `--only` before anything is started. */
export function requireTarget(wanted: readonly string[], stack: string): void {
  requireServices(
    wanted,
    stack,
    servicesOf(stack).map(({ name }) => name),
  );
}

/** Plans a run of the named services from the stack's state. */
export async function planTarget(context: StackContext, wanted: readonly string[]): Promise<TargetPlan> {
  const definitions = servicesOf(context.stack);
  return targetPlan({
    wanted,
    services: definitions.map((definition) => ({
      name: definition.name,
      networks: definition.networks,
      startupDependencies: startupDependencies(definition, definitions),
      needs: allDependencies(definition, definitions),
      accountHolders: accountHolders(definition, definitions),
    })),
    secrets: Object.keys(stackSecrets(definitions)),
    known: await resourcesOf(context),
    stack: context.stack,
  });
}

async function resourcesOf(context: StackContext): Promise<readonly KnownResource[]> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return [];
  const text = await pulumiOutput(context, ["stack", "export", "--stack", context.stack]);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: KnownResource[] } };
  return deployment.resources ?? [];
}
