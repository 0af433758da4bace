/** Parameters that Prisma's URLs may have and that mean nothing to PostgreSQL. */
const PRISMA_ONLY = [
  "connection_limit",
  "pool_timeout",
  "connect_timeout",
  "socket_timeout",
  "schema",
  "pgbouncer",
  "statement_cache_size",
  "max_connection_lifetime",
  "max_idle_connection_lifetime",
];

/** One of Prisma's database URLs as PostgreSQL's client takes it, and how many connections it allows. */
export function readUrl(databaseUrl: string): { connectionString: string; connections: number } {
  const url = new URL(databaseUrl);
  const connections = Number(url.searchParams.get("connection_limit") ?? 5);
  for (const name of PRISMA_ONLY) url.searchParams.delete(name);
  return { connectionString: url.toString(), connections };
}
