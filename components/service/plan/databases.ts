import type { ServiceDefinition } from "../model/definition.ts";
import type { SecretRef } from "../model/facets.ts";
import { databaseSecret } from "../model/secrets.ts";
import { providerOf } from "./order.ts";

/** One database with the role that owns it. */
export interface DatabasePlan {
  readonly service: string;
  /** Container of the database server. */
  readonly server: string;
  /** Name of the database and of the role. */
  readonly name: string;
  /** The role's password. */
  readonly password: SecretRef;
  readonly extensions: readonly string[];
  /** Roles whose rights it has. */
  readonly memberOf: readonly string[];
  /** Whether something is lost with it: the service backs something up. */
  readonly holdsData: boolean;
}

/** The databases of all services. Empty without a service that provides them; `checkNames` reports that. */
export function planDatabases(definitions: readonly ServiceDefinition[]): DatabasePlan[] {
  const server = providerOf("database", definitions)?.name;
  return definitions.flatMap(({ name, database, backup }) =>
    database && server !== undefined
      ? [
          {
            service: name,
            server,
            name: database.name,
            password: databaseSecret(name),
            extensions: database.extensions ?? [],
            memberOf: database.memberOf ?? [],
            holdsData: !("reason" in backup),
          },
        ]
      : [],
  );
}
