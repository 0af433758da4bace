import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { SECRET_KEYS, settingsSchema } from "../../../stacks/settings/schema.ts";

interface Declared {
  readonly type: string;
  readonly description: string;
  readonly default?: unknown;
  /** What an array's elements are; the program checks them itself. */
  readonly items?: unknown;
}

const project = parse(readFileSync(join(__dirname, "../../../Pulumi.yaml"), "utf8")) as {
  config: Record<string, Declared>;
};
const TYPES: Record<string, string> = {
  string: "string",
  enum: "string",
  boolean: "boolean",
  number: "integer",
  array: "array",
  object: "object",
  record: "object",
  union: "object",
};

test("Pulumi.yaml declares the settings that the program takes, with the same types, defaults and descriptions", () => {
  const settings = Object.entries(settingsSchema.shape).map(([key, schema]) => {
    const inner = schema.def.type === "default" ? schema.def.innerType : schema;
    const type = TYPES[inner.def.type];
    // Without a default the engine would refuse a missing value in its own words: an empty one reaches the schema.
    const fallback = schema.def.type === "default" ? (schema.def.defaultValue as unknown) : type === "object" ? {} : "";
    return [`vpai:${key}`, { type, description: schema.description, default: fallback }];
  });
  const secrets = Object.entries(SECRET_KEYS).map(([key, description]) => [
    `vpai:${key}`,
    { type: "string", description, default: "" },
  ]);
  const declared = Object.entries(project.config).map(([key, { items: _items, ...rest }]) => [key, rest]);
  expect(Object.fromEntries(declared)).toEqual(Object.fromEntries([...settings, ...secrets]));
});
