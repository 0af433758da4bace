import type { Fault } from "../../shared/errors.ts";
import { catalogue } from "../catalogue.ts";
import { valueFault } from "./errors.ts";
import type { RawSettings } from "./schema.ts";
import { isOwnerEmail, VALUE_RULES, type ValueRule } from "./value-rules.ts";

interface Place {
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
  readonly list: readonly unknown[];
}

/** The values that a rule's setting stands for. */
function placesOf(setting: string, settings: RawSettings): Place[] {
  const steps = setting.replaceAll("[]", ".[]").split(".");
  return steps.reduce<Place[]>(
    (places, step) => places.flatMap((place) => below(place, step)),
    [{ path: [], value: settings, list: [] }],
  );
}

function below({ path, value }: Place, step: string): Place[] {
  if (step === "[]") {
    const list = Array.isArray(value) ? (value as unknown[]) : [];
    return list.map((each, i) => ({ path: [...path, i], value: each, list }));
  }
  const object = (value ?? {}) as Record<string, unknown>;
  const keys = step === "*" ? Object.keys(object) : [step];
  return keys.flatMap((key) =>
    object[key] === undefined ? [] : [{ path: [...path, key], value: object[key], list: [] }],
  );
}

const PINNED = Object.fromEntries(catalogue.map(({ name, image }) => [name, image.pin]));

/**
 * What the consumers of the settings do not take: for each value, the first rule that it breaks.
 *
 * @param sound whether a setting has its form; the value of another is a stand-in, and is not judged
 */
export function ruleFaults(settings: RawSettings, sound: (setting: string) => boolean): Fault[] {
  const broken = new Map<string, Fault>();
  for (const rule of VALUE_RULES) {
    if (!sound(topLevel(rule.setting))) continue;
    for (const place of placesOf(rule.setting, settings)) {
      const fault = broken.has(place.path.join(".")) ? undefined : faultAt(rule, place, settings);
      if (fault) broken.set(place.path.join("."), fault);
    }
  }
  return [...broken.values(), ...(sound("domain") && sound("owner") ? ownerFaults(settings) : [])];
}

const topLevel = (setting: string): string => /^[A-Za-z]+/.exec(setting)?.[0] ?? setting;

function faultAt(rule: ValueRule, { path, value, list }: Place, settings: RawSettings): Fault | undefined {
  const last = path.at(-1);
  const earlier = typeof last === "number" ? list.slice(0, last) : [];
  const around = { settings, list, earlier, key: String(last), pinned: PINNED };
  const problem = rule.problem(value as never, around);
  return problem === undefined ? undefined : valueFault(path, value, { ...rule, problem });
}

/** The owner's address is made of the domain where it is not set, and n8n is public until it has an owner. */
function ownerFaults({ owner, domain }: RawSettings): Fault[] {
  const derived = `admin@${domain}`;
  if (owner.email !== undefined || isOwnerEmail(derived)) return [];
  return [
    {
      key: "vpai:owner.email",
      found: `not set, and n8n does not take ${derived}`,
      allowed: "an e-mail address whose top-level domain has letters alone",
      fix: "`pulumi config set --path 'vpai:owner.email' <your address>`",
    },
  ];
}
