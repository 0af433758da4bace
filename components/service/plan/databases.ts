import type { ServiceDefinition } from "../model/definition.ts";

/** One database with the role that owns it. */
export interface DatabasePlan {
  readonly service: string;
  /** Name of the database and of the role. */
  readonly name: string;
  /** Name of the secret that is the role's password. */
  readonly secret: string;
  readonly extensions: readonly string[];
  /** Roles whose rights it has. */
  readonly memberOf: readonly string[];
}

export const databaseSecret = (service: string): string => `${service}-database`;

/** The databases of all services. */
export function planDatabases(definitions: readonly ServiceDefinition[]): DatabasePlan[] {
  return definitions.flatMap(({ name, database }) =>
    database
      ? [
          {
            service: name,
            name: database.name,
            secret: databaseSecret(name),
            extensions: database.extensions ?? [],
            memberOf: database.memberOf ?? [],
          },
        ]
      : [],
  );
}
