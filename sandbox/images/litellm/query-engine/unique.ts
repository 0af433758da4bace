import { UserFacingError } from "@prisma/client-engine-runtime";
import type pg from "pg";

const COLUMNS = `
  SELECT array_agg(attname ORDER BY attnum)::text[] AS columns
  FROM pg_attribute WHERE attrelid = to_regclass($1)`;

/** The driver names the index that two rows may not share; Prisma 5's engine names its fields, and clients read that. */
export async function withFields(error: unknown, pool: pg.Pool): Promise<unknown> {
  if (!(error instanceof UserFacingError) || error.code !== "P2002") return error;
  const index = indexOf(error.meta["driverAdapterError"]);
  if (index === undefined) return error;
  const { rows } = await pool.query<{ columns: string[] | null }>(COLUMNS, [`"${index}"`]);
  const target = rows[0]?.columns;
  if (!target) return error;
  const fields = target.map((column) => `\`${column}\``).join(",");
  return new UserFacingError(`Unique constraint failed on the fields: (${fields})`, error.code, { target });
}

function indexOf(driverError: unknown): string | undefined {
  const cause = (driverError as { cause?: { constraint?: { index?: string } } } | undefined)?.cause;
  return cause?.constraint?.index;
}
