import { invalidField } from "./errors.ts";
import type { Labels } from "../state/model.ts";

const name = /^[a-z0-9A-Z]([a-z0-9A-Z._-]{0,61}[a-z0-9A-Z])?$/;
const dnsLabel = /^[a-z0-9A-Z]([a-z0-9A-Z-]{0,61}[a-z0-9A-Z])?$/;

/** Whether `key` may be a label's key: an optional DNS prefix and a name, https://docs.hetzner.cloud/#labels. */
export function isLabelKey(key: string): boolean {
  const [first, second, ...more] = key.split("/");
  if (more.length > 0 || first === undefined) {
    return false;
  }
  if (second === undefined) {
    return name.test(first);
  }
  const prefix = first.length <= 253 && first.split(".").every((label) => dnsLabel.test(label));
  return prefix && first !== "hetzner.cloud" && name.test(second);
}

export function isLabelValue(value: string): boolean {
  return value === "" || name.test(value);
}

/** A parsed selector: whether labels match. */
export type Selector = (labels: Labels) => boolean;

/**
 * Parses `k=v`, `k==v`, `k!=v`, `k`, `!k`, `k in (a,b)`, `k notin (a,b)`, joined by commas.
 *
 * @throws ApiError `invalid_input` on the field `label_selector`
 */
export function parseSelector(text: string): Selector {
  const terms = splitTerms(text).map((term) => parseTerm(term.trim(), text));
  return (labels) => terms.every((term) => term(labels));
}

/** Splits at commas outside parentheses. */
function splitTerms(text: string): string[] {
  return text.split(/,(?![^(]*\))/);
}

function parseTerm(term: string, whole: string): Selector {
  const set = /^(\S+)\s+(in|notin)\s*\(([^()]*)\)$/.exec(term);
  if (set !== null) {
    const [, key = "", operator, list = ""] = set;
    const values = list.split(",").map((value) => value.trim());
    check(isLabelKey(key) && values.every(isLabelValue), whole);
    return operator === "in"
      ? (labels) => labels[key] !== undefined && values.includes(labels[key])
      : (labels) => labels[key] === undefined || !values.includes(labels[key]);
  }
  const pair = /^([^=!\s]+)\s*(==|=|!=)\s*(\S*)$/.exec(term);
  if (pair !== null) {
    const [, key = "", operator, value = ""] = pair;
    check(isLabelKey(key) && isLabelValue(value), whole);
    return operator === "!=" ? (labels) => labels[key] !== value : (labels) => labels[key] === value;
  }
  const absent = term.startsWith("!");
  const key = absent ? term.slice(1).trim() : term;
  check(isLabelKey(key), whole);
  return (labels) => (labels[key] !== undefined) !== absent;
}

function check(valid: boolean, selector: string): void {
  if (!valid) {
    throw invalidField("label_selector", `'${selector}' is not a valid label selector`);
  }
}
