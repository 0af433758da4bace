import { type Fault, OperatorError } from "../../shared/errors.ts";

/** The part of a service's definition that decides what may be removed. */
export interface KeptService {
  readonly name: string;
  readonly database?: string;
  /** Names of its permanent secrets. */
  readonly permanent: readonly string[];
}

export interface PurgeChoice {
  readonly stack: string;
  readonly service: string;
  readonly database?: string | undefined;
}

/** Input of `files/host/purge.py`. */
export interface PurgePlan {
  readonly mode: "look" | "remove";
  readonly service: string;
  readonly database: string | null;
  /** Names of permanent secrets that are kept. */
  readonly keep: readonly string[];
}

/** Databases and roles of PostgreSQL itself. */
const ITS_OWN = ["postgres", "template0", "template1"];

/**
 * Refuses to remove what the stack has.
 *
 * @param kept the services of the stack
 * @throws OperatorError with every fault
 */
export function planPurge({ stack, service, database }: PurgeChoice, kept: readonly KeptService[]): PurgePlan {
  const faults: Fault[] = [];
  if (!/^[a-z][a-z0-9-]*$/.test(service)) {
    faults.push({ key: "--service", found: service, allowed: "a service's name: a-z, 0-9 and -", fix: "correct it" });
  }
  if (kept.some(({ name }) => name === service)) {
    faults.push({
      key: "--service",
      found: `${service}, which stack ${stack} has`,
      allowed: "a service that is no longer in the stack",
      fix: `take it out of the stack (vpai:disabledServices in Pulumi.${stack}.yaml, or stacks/catalogue.ts), and \`vpai up --stack ${stack}\` first`,
    });
  }
  if (database !== undefined) faults.push(...databaseFaults(database, kept));
  if (faults.length > 0) throw new OperatorError(faults);
  return { mode: "look", service, database: database ?? null, keep: kept.flatMap(({ permanent }) => permanent) };
}

function databaseFaults(database: string, kept: readonly KeptService[]): Fault[] {
  const owner = kept.find((each) => each.database === database)?.name;
  const why = /^[a-z][a-z0-9_]*$/.test(database)
    ? ITS_OWN.includes(database) || database.startsWith("pg_")
      ? "which is PostgreSQL's own"
      : owner && `which is ${owner}'s`
    : "which is not a plain name: a-z, 0-9 and _";
  if (!why) return [];
  return [
    {
      key: "--database",
      found: `${database}, ${why}`,
      allowed: "the database of the removed service",
      fix: "correct it, or leave it out: the database then stays",
    },
  ];
}

/** The remote command: the script comes on stdin. The plan has no character that a shell reads within single quotes. */
export const purgeCommand = (plan: PurgePlan): string[] => ["sudo", "-n", "python3", "-", `'${JSON.stringify(plan)}'`];
