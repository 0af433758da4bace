import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "pg";
import { SchemaError } from "./schema-error.ts";

export interface Migration {
  readonly name: string;
  readonly sql: string;
}

/** Of all that migrate a database at the same time, one does. Prisma's own number, so that it waits for the same. */
const LOCK = 72_707_369;
const LOCK_INTERVAL_MS = 100;
const LOCK_DEADLINE_MS = 10 * 60_000;

/** Prisma's own table, so that Prisma could go on with the database. */
const LEDGER = `
CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`;

/** Applies those of the migrations that the database has not seen, in order; answers their names. */
export async function deploy(client: Client, migrations: readonly Migration[]): Promise<string[]> {
  await lock(client);
  try {
    await refuseUnknownTables(client);
    await client.query(LEDGER);
    const applied = await appliedMigrations(client);
    const pending = migrations.filter(({ name }) => !applied.has(name));
    for (const migration of pending) await apply(client, migration);
    return pending.map(({ name }) => name);
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [LOCK]);
  }
}

/**
 * Asks again and again instead of waiting in the database: a session that waits there holds a snapshot, which an index
 * that is created concurrently waits for, and PostgreSQL ends one of the two (40P01).
 */
async function lock(client: Client): Promise<void> {
  const deadline = Date.now() + LOCK_DEADLINE_MS;
  for (;;) {
    const { rows } = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [LOCK]);
    if (rows[0]?.locked === true) return;
    if (Date.now() > deadline) {
      throw new SchemaError(
        "P1002",
        `Another process has been migrating this database for ${LOCK_DEADLINE_MS / 60_000} minutes.`,
      );
    }
    await sleep(LOCK_INTERVAL_MS);
  }
}

async function refuseUnknownTables(client: Client): Promise<void> {
  const { rows } = await client.query<{ ledger: boolean; tables: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS ledger,
       EXISTS (SELECT FROM pg_tables WHERE schemaname = current_schema()) AS tables`,
  );
  if (rows[0]?.ledger === false && rows[0].tables) {
    throw new SchemaError("P3005", "The database schema is not empty, and has no table of applied migrations.");
  }
}

async function appliedMigrations(client: Client): Promise<Set<string>> {
  const { rows } = await client.query<{ migration_name: string; failed: boolean; logs: string | null }>(
    "SELECT migration_name, finished_at IS NULL AS failed, logs FROM _prisma_migrations WHERE rolled_back_at IS NULL",
  );
  const failed = rows.find((row) => row.failed);
  if (failed !== undefined) {
    throw new SchemaError(
      "P3009",
      `The \`${failed.migration_name}\` migration failed or was interrupted: no other is applied.\n${failed.logs ?? ""}`,
    );
  }
  return new Set(rows.map(({ migration_name }) => migration_name));
}

/** One script is one transaction, unless its only statement may not be in one. */
async function apply(client: Client, { name, sql }: Migration): Promise<void> {
  const id = randomUUID();
  const checksum = createHash("sha256").update(sql).digest("hex");
  await client.query("INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES ($1, $2, $3)", [
    id,
    checksum,
    name,
  ]);
  try {
    await client.query(sql);
  } catch (error) {
    const { code = "", message } = error as Error & { code?: string };
    await client.query("UPDATE _prisma_migrations SET logs = $2 WHERE id = $1", [id, message]);
    throw new SchemaError("P3018", `Migration name: ${name}\nDatabase error code: ${code}\nDatabase error: ${message}`);
  }
  await client.query("UPDATE _prisma_migrations SET finished_at = now(), applied_steps_count = 1 WHERE id = $1", [id]);
}
