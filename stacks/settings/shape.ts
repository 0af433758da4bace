import type { z } from "zod";

type AnySchema = z.core.$ZodType;
type Object = z.ZodObject;

const defOf = (schema: AnySchema): z.core.$ZodTypes["_zod"]["def"] => (schema as z.core.$ZodTypes)._zod.def;

/** A schema without what makes it optional, and its default. */
export function unwrap(schema: AnySchema): { readonly schema: AnySchema; readonly fallback?: unknown } {
  const def = defOf(schema);
  if (def.type === "default") return { schema: unwrap(def.innerType).schema, fallback: def.defaultValue };
  if (def.type === "optional") return unwrap(def.innerType);
  return { schema };
}

/** Whether Pulumi holds a value as plain text; it holds every other value as JSON. */
export function isText(schema: AnySchema): boolean {
  const { type } = defOf(unwrap(schema).schema);
  return type === "string" || type === "enum";
}

/** The alternatives of an object schema: one, or one for each value of `discriminator`. */
export interface Alternatives {
  readonly discriminator?: string;
  readonly objects: readonly Object[];
}

/** Undefined for a schema that is no object with fixed keys. */
export function alternatives(schema: AnySchema): Alternatives | undefined {
  const inner = unwrap(schema).schema;
  const def = defOf(inner);
  if (def.type === "object") return { objects: [inner as Object] };
  if (def.type !== "union" || !("discriminator" in def)) return undefined;
  return { discriminator: def.discriminator as string, objects: def.options as unknown as Object[] };
}

/** The schema of a list's elements; undefined for anything else. */
export function elementOf(schema: AnySchema): AnySchema | undefined {
  const def = defOf(unwrap(schema).schema);
  return def.type === "array" ? def.element : undefined;
}

/** The schema of a map's values; undefined for anything else. */
export function valueOf(schema: AnySchema): AnySchema | undefined {
  const def = defOf(unwrap(schema).schema);
  return def.type === "record" ? def.valueType : undefined;
}

/** The value that selects an alternative. */
export const selector = (object: Object, discriminator: string): unknown =>
  (object.shape[discriminator] as z.ZodLiteral).value;

/** The keys allowed at a path below the schema, for the value that is there. */
export function keysAt(schema: AnySchema, path: readonly PropertyKey[], value: unknown): string[] {
  const object = objectFor(schema, value);
  const [head, ...rest] = path;
  if (head === undefined) return object ? Object.keys(object.shape) : [];
  const next = typeof head === "number" ? elementOf(schema) : object?.shape[String(head)];
  return next ? keysAt(next, rest, (value as Record<PropertyKey, unknown> | null | undefined)?.[head]) : [];
}

function objectFor(schema: AnySchema, value: unknown): Object | undefined {
  const { discriminator, objects = [] } = alternatives(schema) ?? {};
  if (discriminator === undefined) return objects[0];
  const selected = (value as Record<string, unknown> | null | undefined)?.[discriminator];
  return objects.find((object) => selector(object, discriminator) === selected);
}

export type TypeName = "string" | "boolean" | "integer" | "array" | "object";

const TYPE_NAMES: Readonly<Record<string, TypeName>> = {
  string: "string",
  enum: "string",
  boolean: "boolean",
  number: "integer",
  array: "array",
  object: "object",
  record: "object",
};

/** The type as Pulumi.yaml and the reference name it. */
export function typeName(schema: AnySchema): TypeName {
  const def = defOf(unwrap(schema).schema);
  if (def.type === "union") return "discriminator" in def ? "object" : typeName(def.options[0] as AnySchema);
  const name = TYPE_NAMES[def.type];
  if (name === undefined) throw new Error(`Pulumi.yaml has no name for a setting of the type ${def.type}`);
  return name;
}
