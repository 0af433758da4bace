import type { Fault } from "../../shared/errors.ts";
import { DEPRECATED_SETTINGS, SECRET_SETTINGS, settingsSchema } from "./schema.ts";
import { isText, unwrap } from "./shape.ts";

/** Configuration by name below `vpai:`: text as Pulumi holds it, or values as a stack file has them. */
export type Config = Readonly<Record<string, unknown>>;

export interface Decoded {
  /** The settings that are not secret, by their current names; not checked. */
  readonly raw: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
  /** One line for each former name that is used. */
  readonly notices: readonly string[];
}

/** Resolves former names and decodes values. A value that does not decode stays text, for the schema to reject. */
export function decodeSettings(
  config: Config,
  deprecated: Readonly<Record<string, string>> = DEPRECATED_SETTINGS,
): Decoded {
  const raw: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(config)) {
    const name = deprecated[key] ?? key;
    const decoded = decode(name, value);
    if (!(key in SECRET_SETTINGS || isUnset(name, decoded))) raw[key] = decoded;
  }
  const faults: Fault[] = [];
  const notices: string[] = [];
  for (const [old, name] of Object.entries(deprecated)) {
    if (!(old in raw)) continue;
    // The engine fills in the default of a name that the stack file does not have.
    if (name in raw && !isDefault(name, raw[name])) faults.push(bothNames(old, name));
    else raw[name] = raw[old];
    delete raw[old];
    notices.push(`vpai:${old} is deprecated: rename it to vpai:${name}`);
  }
  return { raw, faults, notices };
}

function bothNames(old: string, name: string): Fault {
  return {
    key: `vpai:${old}`,
    found: `set together with vpai:${name}, its new name`,
    allowed: "one of the two",
    fix: `move its values to vpai:${name}, and \`pulumi config rm vpai:${old}\``,
  };
}

const schemaOf = (name: string) => settingsSchema.shape[name as keyof typeof settingsSchema.shape];

/** Pulumi.yaml has to give every setting a default: of an object that may be left out, it is one without fields. */
function isUnset(name: string, value: unknown): boolean {
  const isEmpty = typeof value === "object" && value !== null && Object.keys(value).length === 0;
  const result = isEmpty && !Array.isArray(value) ? schemaOf(name)?.safeParse(undefined) : undefined;
  return result?.success === true && result.data === undefined;
}

function isDefault(name: string, value: unknown): boolean {
  const schema = schemaOf(name);
  return schema !== undefined && JSON.stringify(unwrap(schema).fallback) === JSON.stringify(value);
}

function decode(name: string, value: unknown): unknown {
  const schema = schemaOf(name);
  if (typeof value !== "string" || (schema !== undefined && isText(schema))) return value;
  try {
    return JSON.parse(value);
  } catch (error) {
    if (error instanceof SyntaxError) return value;
    throw error;
  }
}
