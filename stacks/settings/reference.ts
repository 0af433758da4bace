import { stringify } from "yaml";
import { z } from "zod";
import { DEPRECATED_SETTINGS, SECRET_SETTINGS, settingsSchema } from "./schema.ts";
import { SECRET_RULES } from "./secret-rules.ts";
import { VALUE_RULES } from "./value-rules.ts";
import { alternatives, elementOf, selector, typeName, unwrap, valueOf } from "./shape.ts";
import type { SecretSetting } from "../../components/service/model/settings.ts";

/** What the derived texts are made of. */
export interface Declared {
  readonly settings: z.ZodObject;
  readonly secrets: Readonly<Record<string, SecretSetting>>;
  /** Former name → name. */
  readonly deprecated: Readonly<Record<string, string>>;
}

export const DECLARED: Declared = {
  settings: settingsSchema,
  secrets: SECRET_SETTINGS,
  deprecated: DEPRECATED_SETTINGS,
};

const describe = (schema: z.core.$ZodType): string => (schema as z.ZodType).description ?? "";

/** Pulumi.yaml with its last block, `config`, derived from the schema. */
export function pulumiYaml(current: string, { settings, secrets }: Declared = DECLARED): string {
  const head = /^[^]*?^config:\n/m.exec(current)?.[0];
  if (head === undefined) throw new Error("Pulumi.yaml has no config block");
  const plain = Object.entries(settings.shape).map(([key, schema]) => {
    const element = elementOf(schema);
    const type = typeName(schema);
    // Without a default the engine rejects a missing value in its own words: an empty one reaches the schema.
    const fallback = unwrap(schema).fallback ?? (type === "object" ? {} : "");
    const items = element ? { items: { type: typeName(element) } } : {};
    return [`vpai:${key}`, { type, ...items, description: withFields(schema), default: fallback }] as const;
  });
  // Declared `secret`, they would be required in every stack.
  const secret = Object.entries(secrets).map(
    ([key, each]) => [`vpai:${key}`, { type: "string", description: secretDescription(each), default: "" }] as const,
  );
  const block = stringify(Object.fromEntries([...plain, ...secret]), { lineWidth: 0 });
  return head + block.replace(/^(?=.)/gm, "  ");
}

const secretDescription = ({ description, variable }: SecretSetting): string =>
  variable === undefined ? description : `${description}; default: environment variable ${variable}`;

/** The description of an object with its fields: Pulumi.yaml has no other place for them. */
function withFields(schema: z.core.$ZodType): string {
  const { discriminator, objects } = alternatives(elementOf(schema) ?? schema) ?? { objects: [] };
  const fields = objects.map((object) => {
    const keys = Object.keys(object.shape).filter((key) => key !== discriminator);
    const when = discriminator === undefined ? "" : `${discriminator} ${String(selector(object, discriminator))}: `;
    return when + keys.join(", ");
  });
  return fields.length === 0 ? describe(schema) : `${describe(schema)}. Fields: ${fields.join("; ")}`;
}

interface Row {
  readonly name: string;
  readonly type: string;
  readonly fallback: string;
  readonly description: string;
  readonly allowed: string;
}

function rows(name: string, schema: z.core.$ZodType): Row[] {
  const element = elementOf(schema);
  const { discriminator, objects } = alternatives(element ?? schema) ?? { objects: [] };
  const inner = element ? `${name}[]` : name;
  const allowedHere = objects.length > 0 && !element ? "the fields below" : allowed(schema);
  const own: Row = {
    name,
    type: typeName(schema),
    ...defaultOf(schema),
    description: describe(schema),
    allowed: allowedHere,
  };
  const below = objects.flatMap((object) => {
    const kind = discriminator === undefined ? "" : ` (${discriminator} ${String(selector(object, discriminator))})`;
    const fields = Object.entries(object.shape).filter(([key]) => key !== discriminator);
    return fields.flatMap(([key, field]) =>
      rows(`${inner}.${key}`, field).map((row) => ({ ...row, description: row.description + kind })),
    );
  });
  const choice: Row[] =
    discriminator === undefined
      ? []
      : [
          {
            name: `${inner}.${discriminator}`,
            type: "string",
            fallback: "required",
            description: "Kind",
            allowed: allowed(schema),
          },
        ];
  return [own, ...choice, ...below];
}

function defaultOf(schema: z.core.$ZodType): Pick<Row, "fallback"> {
  const { fallback } = unwrap(schema);
  if (fallback !== undefined)
    return { fallback: `\`${typeof fallback === "string" ? fallback : JSON.stringify(fallback)}\`` };
  return { fallback: z.safeParse(schema, undefined).success ? "none" : "required" };
}

/** The schema's own message for a value that no setting can have, and that of a list's elements. */
function allowed(schema: z.core.$ZodType): string {
  const result = z.safeParse(schema, Symbol("no setting"));
  const message = result.success ? "" : (result.error.issues[0]?.message ?? "");
  const element = elementOf(schema) ?? valueOf(schema);
  return element && !alternatives(element) ? `${message}; each: ${allowed(element)}` : message;
}

/** docs/settings.md. */
export function settingsPage({ settings, secrets, deprecated }: Declared = DECLARED): string {
  const plain = Object.entries(settings.shape).flatMap(([key, schema]) => rows(`vpai:${key}`, schema));
  const secret = Object.entries(secrets).map(([key, { description, variable }]) => [
    `\`vpai:${key}\``,
    variable === undefined ? "" : `\`${variable}\``,
    description,
  ]);
  return [
    "# Settings",
    "Derived from `stacks/settings/schema.ts` by `./vpai lint --write`; do not edit.",
    "A stack file (`Pulumi.<stack>.yaml`) holds them below `config:`, or `./vpai pulumi --stack <stack> -- config set` " +
      "sets them (`--path` for a field of an object).",
    table(
      ["name", "type", "default", "description", "allowed"],
      plain.map(({ name, type, fallback, description, allowed: rule }) => [
        `\`${name}\``,
        type,
        fallback,
        description,
        rule,
      ]),
    ),
    "## Secrets",
    "Set with `config set --secret`; a plain value is rejected. Where a variable is named, it is used if the setting is not set.",
    table(["name", "variable", "description"], secret),
    "What each consumer of a secret takes; what is wrong with a value is reported without the value. A line break at its " +
      "end is left out with a notice, and a blank value counts as not set.",
    table(
      ["name", "consumer", "allowed", "source"],
      Object.entries(SECRET_RULES).map(([key, { consumer, allowed: rule, source }]) => [
        `\`vpai:${key}\``,
        consumer,
        rule,
        source,
      ]),
    ),
    "## What the consumers of a value take",
    "Derived from `stacks/settings/value-rules.ts`. A value must keep all rules of its setting, so the strictest applies. " +
      "Every fault of a stack is reported at once, before anything is started.",
    table(
      ["name", "consumer", "allowed", "source"],
      VALUE_RULES.map(({ setting, consumer, allowed: rule, source }) => [
        `\`vpai:${setting}\``,
        consumer,
        rule,
        source,
      ]),
    ),
    "## Former names",
    "Still accepted, with a notice. Setting both names is an error.",
    table(
      ["former name", "name"],
      Object.entries(deprecated).map(([old, name]) => [`\`vpai:${old}\``, `\`vpai:${name}\``]),
    ),
    "",
  ].join("\n\n");
}

function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...body.map(line)].join("\n");
}
