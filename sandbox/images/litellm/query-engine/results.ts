import { UserFacingError, type JsonOutputTaggedValue, type RawResponse } from "@prisma/client-engine-runtime";
import { normalizeJsonProtocolValues, normalizeRawJsonProtocolResponse } from "@prisma/client-engine-runtime";

/** A result as Prisma 5's engine wrote it: without marks of its values' types. */
export function plainResult(result: unknown): unknown {
  return plain(normalizeJsonProtocolValues(result));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value ?? null;
  if ("$type" in value) return plainTagged(value as JsonOutputTaggedValue);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, plain(each)]));
}

function plainTagged({ $type, value }: JsonOutputTaggedValue): unknown {
  switch ($type) {
    case "BigInt":
      // Python reads both; JSON's numbers are exact up to here only.
      return Number.isSafeInteger(Number(value)) ? Number(value) : String(value);
    case "DateTime":
      return new Date(value).toISOString();
    case "Decimal":
    case "Bytes":
    case "Json":
      return String(value);
  }
}

/** A value of raw SQL with its type, in the words of Prisma 5.4. */
interface RawValue {
  readonly prisma__type: string;
  readonly prisma__value: unknown;
}

/** The rows of raw SQL, each value with its type. */
export function rawResult(result: unknown): Record<string, RawValue>[] {
  const { columns, types, rows } = normalizeRawJsonProtocolResponse(result as RawResponse);
  return rows.map((row) =>
    Object.fromEntries(columns.map((column, index) => [column, rawValue(row[index], types[index] ?? "unknown")])),
  );
}

function rawValue(value: unknown, type: string): RawValue {
  if (value === null) return { prisma__type: "null", prisma__value: null };
  const [, element] = /^(\w+)-array$/.exec(type) ?? [];
  if (element === undefined) return { prisma__type: type, prisma__value: value };
  return { prisma__type: "array", prisma__value: (value as readonly unknown[]).map((each) => rawValue(each, element)) };
}

/** An error by its code, as the engine's clients tell them apart. */
export interface EngineError {
  readonly error: string;
  readonly user_facing_error: {
    readonly is_panic: boolean;
    readonly message: string;
    readonly meta: Readonly<Record<string, unknown>>;
    readonly error_code?: string;
  };
}

export function readError(error: unknown): EngineError {
  if (error instanceof UserFacingError) {
    // The driver's error is not JSON, and what it says is in the message.
    const { driverAdapterError: _driver, ...meta } = error.meta;
    // Clients tell a transaction that is over from others by how its error begins.
    const text = error.message.replace(/^Transaction API error: /, "");
    return { error: text, user_facing_error: facing(error.message, meta, error.code) };
  }
  const { code, meta } = error as { code?: unknown; meta?: unknown };
  const message = error instanceof Error ? error.message : String((error as { message?: unknown }).message ?? error);
  const known = typeof code === "string" && /^P\d{4}$/.test(code) ? code : undefined;
  return { error: message, user_facing_error: facing(message, (meta ?? {}) as Record<string, unknown>, known) };
}

function facing(
  message: string,
  meta: Readonly<Record<string, unknown>>,
  code: string | undefined,
): EngineError["user_facing_error"] {
  return { is_panic: false, message, meta, ...(code !== undefined && { error_code: code }) };
}
