import type { z } from "zod";
import type { Fault } from "../../shared/errors.ts";
import { SECRET_KEYS, settingsSchema } from "./schema.ts";

const MAX_SHOWN = 100;

/** zod's issues as faults: the setting as the operator names it, what is there, what may be, and the command. */
export function toFaults(issues: readonly z.core.$ZodIssue[], raw: unknown): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey([...issue.path, key], issue.path, raw));
    const found = show(at(raw, issue.path));
    return [{ key: nameOf(issue.path), found, allowed: issue.message, fix: `\`${setCommand(issue.path)}\`` }];
  });
}

/** `vpai:vps.location`, `vpai:ssh.allowedCidrs[0]`. */
export function nameOf(path: readonly PropertyKey[]): string {
  return `vpai:${path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`)).join("")}`;
}

function setCommand(path: readonly PropertyKey[]): string {
  return `pulumi config set ${path.length > 1 ? "--path " : ""}'${nameOf(path)}' <value>`;
}

// Its value is not shown: it may well be a secret under a wrong name.
function unknownKey(path: readonly PropertyKey[], parent: readonly PropertyKey[], raw: unknown): Fault {
  return {
    key: nameOf(path),
    found: "no such setting",
    allowed: knownBelow(parent, raw).join(", "),
    fix: `correct its name, or \`pulumi config rm ${path.length > 1 ? "--path " : ""}'${nameOf(path)}'\``,
  };
}

/** Settings that are objects of one shape; `vps` has one by provider. */
const PLAIN_OBJECTS: Readonly<Record<string, string[]>> = {
  models: ["fallbacks", "maxTokens", "model", "name", "provider"],
  owner: ["email", "firstName", "lastName"],
  retention: ["logsDays", "metricsDays"],
  ssh: ["allowedCidrs", "port"],
};

function knownBelow(parent: readonly PropertyKey[], raw: unknown): string[] {
  if (parent.length === 0) return [...Object.keys(settingsSchema.shape), ...Object.keys(SECRET_KEYS)].sort();
  const plain = PLAIN_OBJECTS[String(parent[0])];
  if (plain) return plain;
  const provider = (at(raw, ["vps"]) as { provider?: unknown } | undefined)?.provider;
  const option = settingsSchema.shape.vps.def.options.find((o) => (o.shape.provider.value as unknown) === provider);
  return option ? Object.keys(option.shape).sort() : [];
}

function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part], raw);
}

function show(value: unknown): string {
  if (value === undefined || value === "") return "not set";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
