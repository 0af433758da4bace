import type { z } from "zod";
import type { Fault } from "../../shared/errors.ts";
import { SECRET_SETTINGS, settingsSchema } from "./schema.ts";
import { keysAt } from "./shape.ts";

const MAX_SHOWN = 100;

/** zod's issues as faults: the setting as the operator names it, what is there, what may be, and the command. */
export function toFaults(issues: readonly z.core.$ZodIssue[], raw: unknown): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey([...issue.path, key], issue.path, raw));
    const found = show(at(raw, issue.path));
    const isObject = issue.code === "invalid_type" && issue.expected === "object";
    const allowed = isObject ? `an object with ${knownBelow(issue.path, raw).join(", ")}` : issue.message;
    return [{ key: nameOf(issue.path), found, allowed, fix: `\`${setCommand(issue.path)}\`` }];
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

function knownBelow(parent: readonly PropertyKey[], raw: unknown): string[] {
  const secrets = parent.length === 0 ? Object.keys(SECRET_SETTINGS) : [];
  return [...keysAt(settingsSchema, parent, raw), ...secrets].sort();
}

function at(raw: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<PropertyKey, unknown> | null | undefined)?.[part], raw);
}

function show(value: unknown): string {
  if (value === undefined || value === "") return "not set";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
