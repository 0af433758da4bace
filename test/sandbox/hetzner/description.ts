import { readFileSync } from "node:fs";

import { z } from "zod";

import { requestKey } from "./shapes.ts";

/** The part of OpenAPI 3.0 that a description of responses uses. */
interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly nullable?: boolean;
  readonly enum?: readonly unknown[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly additionalProperties?: Schema | boolean;
}

interface Operation {
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, { schema: Schema }>> }>>;
}

interface Description {
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Where the API has moved on from a description that is older. */
const removedFields = new Set(["datacenter"]);
const addedFields: Readonly<Record<string, Schema>> = {
  // Of a server type's locations, since April 2026.
  available: { type: "boolean" },
  recommended: { type: "boolean" },
};

/** Checks responses against an API description, which is data of its publisher and no part of this repository. */
export class DescriptionCheck {
  readonly #description: Description;
  readonly #converted = new Map<string, z.ZodType>();

  constructor(file: string) {
    this.#description = JSON.parse(readFileSync(file, "utf8")) as Description;
  }

  /** What is wrong, one line a field; empty when the response is as described. */
  mismatches(method: string, path: string, status: number, json: unknown): string[] {
    const key = requestKey(method, path);
    const operation = this.#operation(key);
    if (operation === undefined) {
      return status >= 400 ? [] : [`${key}: not in the description`];
    }
    const { responses } = operation;
    const described = responses[String(status)] ?? responses[`${Math.floor(status / 100)}xx`];
    if (described === undefined) {
      return [`${key}: status ${status} is not in the description`];
    }
    const schema = described.content?.["application/json"]?.schema;
    if (schema === undefined) {
      return json === null ? [] : [`${key} ${status}: described without a body`];
    }
    const id = `${key} ${status}`;
    const converted = this.#converted.get(id) ?? this.#convert(schema);
    this.#converted.set(id, converted);
    const parsed = converted.safeParse(json);
    return parsed.success
      ? []
      : parsed.error.issues.map(({ path: at, message }) => `${id} ${at.join(".")}: ${message}`);
  }

  /** The description calls ids by several names. */
  #operation(key: string): Operation | undefined {
    const [method = "", path = ""] = key.split(" ");
    const found = Object.entries(this.#description.paths).find(
      ([template]) => template.replace(/\{\w+\}/g, "{id}") === path,
    );
    return found?.[1][method.toLowerCase()];
  }

  #convert(schema: Schema): z.ZodType {
    const plain = this.#resolve(schema);
    const type = this.#withoutNull(plain);
    return plain.nullable === true ? type.nullable() : type;
  }

  #withoutNull(schema: Schema): z.ZodType {
    if (schema.enum !== undefined) {
      return z.literal(schema.enum as string[]);
    }
    const choices = schema.oneOf ?? schema.anyOf;
    if (choices !== undefined) {
      return z.union(choices.map((choice) => this.#convert(choice)));
    }
    switch (schema.type ?? "object") {
      case "string":
        return z.string();
      case "integer":
        return z.int();
      case "number":
        return z.number();
      case "boolean":
        return z.boolean();
      case "array":
        return z.array(this.#convert(schema.items ?? {}));
      default:
        return schema.properties === undefined ? z.unknown() : this.#object(schema);
    }
  }

  /** Strict, though the description is not: a field that it does not know is misspelt, or newer. */
  #object({ properties = {}, required = [] }: Schema): z.ZodType {
    const isPlace = Object.keys(properties).sort().join() === "deprecation,id,name";
    const fields = Object.entries({ ...properties, ...(isPlace ? addedFields : {}) })
      .filter(([name]) => !removedFields.has(name))
      .map(([name, schema]) => {
        const type = name === "assignee_type" ? z.enum(["server", "unassigned"]) : this.#convert(schema);
        return [name, required.includes(name) ? type : type.optional()] as const;
      });
    return z.strictObject(Object.fromEntries(fields));
  }

  /** References and `allOf` merged into one schema. */
  #resolve(schema: Schema): Schema {
    if (schema.$ref !== undefined) {
      return this.#resolve(this.#description.components.schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
    }
    if (schema.allOf === undefined) {
      return schema;
    }
    const { allOf, ...own } = schema;
    return [...allOf.map((part) => this.#resolve(part)), own].reduce<Schema>(
      (merged, part) => ({
        ...merged,
        ...part,
        properties: { ...merged.properties, ...part.properties },
        required: [...(merged.required ?? []), ...(part.required ?? [])],
      }),
      {},
    );
  }
}
