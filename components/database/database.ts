import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host.ts";
import type { DatabasePlan } from "../service/plan/databases.ts";
import { scramVerifier } from "./scram.ts";
import { renderDatabaseSql } from "./sql.ts";

const PSQL = "docker exec -i postgresql psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file -";

/** Makes a service's database and role what the plan says, whenever plan, password or machine change. */
export function reconcileDatabase(
  name: string,
  host: Host,
  plan: DatabasePlan,
  password: pulumi.Output<string>,
  parent: pulumi.Resource,
  dependsOn: readonly pulumi.Resource[],
): command.remote.Command {
  const stdin = password.apply((text) => renderDatabaseSql(plan, scramVerifier(plan.name, text)));
  return host.command(name, { create: PSQL, stdin }, parent, { dependsOn: [...dependsOn] });
}
