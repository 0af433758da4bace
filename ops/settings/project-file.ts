import type { Fault } from "../../shared/errors.ts";
import { readYaml, unknownKeys, type YamlFile } from "./yaml-file.ts";

/** Keys of a project: https://www.pulumi.com/docs/iac/concepts/projects/project-file/ */
const PROJECT_KEYS = [
  "name",
  "runtime",
  "main",
  "description",
  "author",
  "website",
  "license",
  "config",
  "stackConfigDir",
  "backend",
  "options",
  "template",
  "plugins",
  "packages",
  "requiredPulumiVersion",
];

/** Keys of a stack's file: https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/ */
const STACK_KEYS = ["config", "environment", "secretsprovider", "encryptedkey", "encryptionsalt"];

/** A project that runs nothing is one without resources: an `up` would then delete everything. */
export function projectFaults(text: string): Fault[] {
  const file = readYaml("Pulumi.yaml", text);
  const runtime = file.value["runtime"];
  const name = typeof runtime === "object" && runtime !== null ? (runtime as Record<string, unknown>)["name"] : runtime;
  const faults = [
    ...file.faults,
    ...unknownKeys(file, [], PROJECT_KEYS),
    ...unknownKeys(file, ["runtime"], ["name", "options"]),
  ];
  if (file.faults.length > 0) return faults;
  const wanted = (key: string, value: unknown, allowed: string): Fault[] =>
    value === allowed
      ? []
      : [
          {
            key: file.placeOf(key) ?? `Pulumi.yaml: ${key}`,
            found: value === undefined ? `no ${key}` : `${key} ${JSON.stringify(value)}`,
            allowed,
            fix: "put it back: `git diff Pulumi.yaml`",
          },
        ];
  return [
    ...faults,
    ...wanted("name", file.value["name"], "vpai"),
    ...wanted("runtime", name, "nodejs"),
    ...wanted("main", file.value["main"], "index.ts"),
  ];
}

/** A value of the configuration as the engine stores it: text, an object, or encrypted. */
export interface StackText {
  readonly file: YamlFile;
  /** By name below `vpai:`; without those that are encrypted. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Ciphertext by name below `vpai:`. */
  readonly encrypted: Readonly<Record<string, string>>;
  readonly salt: string | undefined;
  readonly provider: string | undefined;
  readonly faults: readonly Fault[];
}

/** Reads a stack's file without the engine. */
export function readStackText(stack: string, text: string): StackText {
  const name = `Pulumi.${stack}.yaml`;
  const file = readYaml(name, text);
  const config = file.value["config"] ?? {};
  const isObject = typeof config === "object" && !Array.isArray(config);
  const entries = Object.entries(isObject ? (config as Record<string, unknown>) : {});
  const own = entries.filter(([key]) => key.startsWith("vpai:"));
  const secure = own.flatMap(([key, value]) => {
    const text = (value as { secure?: unknown } | null)?.secure;
    return typeof text === "string" ? [[key.slice("vpai:".length), text] as const] : [];
  });
  const encrypted = Object.fromEntries(secure);
  const plain = own.map(([key, value]) => [key.slice("vpai:".length), value] as const);
  const textOf = (key: string): string | undefined => {
    const value = file.value[key];
    return typeof value === "string" ? value : undefined;
  };
  return {
    file,
    config: Object.fromEntries(plain.filter(([key]) => !(key in encrypted))),
    encrypted,
    salt: textOf("encryptionsalt"),
    provider: textOf("secretsprovider"),
    faults: [
      ...file.faults,
      ...unknownKeys(file, [], STACK_KEYS),
      ...(isObject ? entries.flatMap(([key]) => namespaceFaults(file, key)) : [notConfig(name, file)]),
    ],
  };
}

/** A setting of another namespace is read by nothing, and the engine says nothing of it. */
function namespaceFaults(file: YamlFile, key: string): Fault[] {
  if (/^(vpai|pulumi):/.test(key)) return [];
  const [, own = key] = /^[^:]*:(.+)$/.exec(key) ?? [];
  return [
    {
      key: file.placeOf("config", key) ?? key,
      found: `config.${key}, which nothing reads`,
      allowed: "vpai:<setting> (docs/settings.md), pulumi:<option>",
      fix: `write vpai:${own}, or take it out`,
    },
  ];
}

const notConfig = (name: string, file: YamlFile): Fault => ({
  key: file.placeOf("config") ?? name,
  found: "config is not an object",
  allowed: "settings with their values, indented below config",
  fix: "correct the file",
});
