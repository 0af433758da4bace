import { planSecrets } from "../../components/service/plan/secrets.ts";
import { needsOf, startsAfter } from "../../components/service/plan/checks.ts";
import type { ServiceDefinition } from "../../components/service/model/definition.ts";
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
      startsAfter: startsAfter(definition),
      needs: needsOf(definition),
      knownTo: knownTo(definition),
    })),
    secrets: Object.keys(planSecrets(definitions)),
    known: await resourcesOf(context),
    stack: context.stack,
  });
}

/** A database is made beside its service; an account of Redis, a key of LiteLLM and a collection of Qdrant over there. */
function knownTo({ needs: _needs, database: _database, ...rest }: ServiceDefinition): string[] {
  return needsOf(rest);
}

async function resourcesOf(context: StackContext): Promise<readonly KnownResource[]> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return [];
  const text = await ask(context, ["stack", "export", "--stack", context.stack]);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: KnownResource[] } };
  return deployment.resources ?? [];
}
