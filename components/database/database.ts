import type * as command from "@pulumi/command";
import type * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host.ts";
import type { DatabasePlan } from "../service/plan/databases.ts";
import { databaseReadback, recordReadback } from "./readback.ts";
import { scramVerifier } from "./scram.ts";
import { renderDatabaseSql } from "./sql.ts";

const psql = (server: string): string =>
  `docker exec -i ${server} psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file -`;

/** Reconciles a service's database and role with the plan, after a change of plan, password or machine. */
export function reconcileDatabase(
  name: string,
  host: Host,
  plan: DatabasePlan,
  password: pulumi.Output<string>,
  parent: pulumi.Resource,
  dependsOn: readonly pulumi.Resource[],
): command.remote.Command {
  const stdin = password.apply((text) => {
    const verifier = scramVerifier(plan.name, text);
    return recordReadback(databaseReadback(plan, verifier), renderDatabaseSql(plan, verifier));
  });
  return host.remoteCommand(name, { create: psql(plan.server), stdin }, parent, { dependsOn: [...dependsOn] });
}
