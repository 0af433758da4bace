import type { EventEmitter } from "node:events";
import pg from "pg";
import { readUrl } from "./database-url.ts";

/** PostgreSQL's array of `name`, which Prisma's driver does not know, and the array of text that it equals. */
const [NAME_ARRAY, TEXT_ARRAY] = [1003, 1009];

interface RowDescription {
  readonly fields: { dataTypeID: number }[];
}

/** Connections by one of Prisma's database URLs. */
export function openPool(databaseUrl: string): pg.Pool {
  const { connectionString, connections } = readUrl(databaseUrl);
  const pool = new pg.Pool({ connectionString, max: connections });
  pool.on("connect", (client) => {
    const { connection } = client as unknown as { connection: EventEmitter };
    connection.prependListener("rowDescription", ({ fields }: RowDescription) => {
      for (const field of fields) if (field.dataTypeID === NAME_ARRAY) field.dataTypeID = TEXT_ARRAY;
    });
  });
  // An idle connection that the server ends is opened again when it is needed.
  pool.on("error", (error) => console.error(`query engine: ${error.message}`));
  return pool;
}
