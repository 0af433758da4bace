import type { z } from "zod";
import type { Fault } from "../../shared/errors.ts";
import { SECRET_SETTINGS, settingsSchema } from "./schema.ts";
import { keysAt } from "./shape.ts";
import { suggestion } from "./suggestions.ts";
import leven from "leven";

const MAX_SHOWN = 100;

/** zod's issues as faults: the setting as the operator names it, what is there, what may be, and the command. */
export function toFaults(issues: readonly z.core.$ZodIssue[], raw: unknown): Fault[] {
  return issues.flatMap((issue) => {
    if (issue.code === "unrecognized_keys")
      return issue.keys.map((key) => unknownKey([...issue.path, key], issue.path, raw));
    const found = show(at(raw, issue.path));
    const isObject = issue.code === "invalid_type" && issue.expected === "object";
    const known = knownBelow(issue.path, raw);
    // Of an object of several kinds, the fields are known once its kind is.
    const fields = known.length > 0 ? known.join(", ") : `provider: ${issue.message}`;
    const allowed = isObject ? `an object with ${fields}` : issue.message;
    return [{ key: nameOf(issue.path), found, allowed, fix: setCommand(issue.path, at(raw, issue.path)) }];
  });
}

/** `vpai:vps.location`, `vpai:ssh.allowedCidrs[0]`. */
export function nameOf(path: readonly PropertyKey[]): string {
  return `vpai:${path.map((part, i) => (typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`)).join("")}`;
}

/** The fault of a value whose form is right, and that a consumer does not take. */
export function valueFault(
  path: readonly PropertyKey[],
  value: unknown,
  { problem, allowed, fix }: { readonly problem: string; readonly allowed: string; readonly fix?: string | undefined },
): Fault {
  const shown = typeof value === "object" ? "" : show(value);
  const found = [shown, problem].filter(Boolean).join(", ");
  return { key: nameOf(path), found, allowed, fix: fix ?? setCommand(path, value) };
}

/** The command that sets a value: the one that was probably meant, or a placeholder for it. */
function setCommand(path: readonly PropertyKey[], value: unknown): string {
  const meant = suggestion(nameOf(path).slice("vpai:".length), value);
  const text = meant === undefined ? "<value>" : meant.includes(" ") ? `'${meant}'` : meant;
  return `\`pulumi config set ${path.length > 1 ? "--path " : ""}'${nameOf(path)}' ${text}\``;
}

/** The one of the names that was probably meant. */
export function nearName(name: string, names: readonly string[]): string | undefined {
  const ranked = names.map((each) => ({ each, distance: leven(name.toLowerCase(), each.toLowerCase()) }));
  const [best] = ranked.toSorted((a, b) => a.distance - b.distance);
  return best !== undefined && best.distance <= Math.max(1, Math.floor(name.length / 3)) ? best.each : undefined;
}

// Its value is not shown: it may well be a secret under a wrong name.
function unknownKey(path: readonly PropertyKey[], parent: readonly PropertyKey[], raw: unknown): Fault {
  const known = knownBelow(parent, raw);
  const name = String(path.at(-1));
  const [first = ""] = name.split(/[.[]/);
  // `config set vpai:ssh.port` without --path makes a setting whose name has a dot.
  const flat = first !== name && known.includes(first);
  const near = nearName(name, known);
  const remove = `\`pulumi config rm ${path.length > 1 ? "--path " : ""}'${nameOf(path)}'\``;
  const correct = near === undefined ? "correct its name" : `correct its name (${near}?)`;
  return {
    key: nameOf(path),
    found: "no such setting",
    allowed: known.join(", "),
    fix: flat ? `${remove}, and set it with --path` : `${correct}, or ${remove}`,
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
