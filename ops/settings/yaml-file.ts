import { isMap, isScalar, LineCounter, type Pair, parseDocument } from "yaml";
import type { Fault } from "../../shared/errors.ts";
import { nearName } from "../../stacks/settings/errors.ts";

/** A YAML file as plain values, and what is wrong with its text. */
export interface YamlFile {
  readonly value: Readonly<Record<string, unknown>>;
  readonly faults: readonly Fault[];
  /** `Pulumi.yaml:3:1`, of a key at the top or one below another; undefined where it is not there. */
  readonly placeOf: (...path: readonly string[]) => string | undefined;
}

/** Parses a file of the engine's; every fault has its line and column. */
export function readYaml(file: string, text: string): YamlFile {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const isDuplicate = ({ code }: { readonly code: string }): boolean => code === "DUPLICATE_KEY";
  // The parser goes on after an error, and what it finds then mostly follows from it.
  const [first] = document.errors.filter((error) => !isDuplicate(error));
  const reported = first === undefined ? document.errors : [first];
  const faults = reported.map((error): Fault => {
    const duplicate = isDuplicate(error);
    const key = /^[^\s:]+:?[^\s:]*/.exec(text.slice(error.pos[0]))?.[0] ?? "";
    return {
      key: at(error.pos[0]),
      found: duplicate ? `${key} a second time` : lowered(error.message),
      allowed: duplicate ? "each key once" : "YAML: key, colon and value, indented by spaces",
      fix: duplicate ? "take one of the two out" : "correct the line",
    };
  });
  const root: unknown = faults.length > 0 ? undefined : document.toJS();
  const isObject = root !== null && typeof root === "object" && !Array.isArray(root);
  if (faults.length === 0 && root != null && !isObject) {
    faults.push({ key: at(0), found: "no keys", allowed: "keys with values", fix: "correct the file" });
  }
  const placeOf = (...path: readonly string[]): string | undefined => {
    let node: unknown = document.contents;
    let key: unknown;
    for (const step of path) {
      const pair: Pair | undefined = isMap(node)
        ? node.items.find((each) => isScalar(each.key) && each.key.value === step)
        : undefined;
      if (pair === undefined) return undefined;
      [key, node] = [pair.key, pair.value];
    }
    return isScalar(key) && key.range ? at(key.range[0]) : undefined;
  };
  return { value: isObject ? (root as Record<string, unknown>) : {}, faults, placeOf };
}

const lowered = (message: string): string => `${message[0]?.toLowerCase() ?? ""}${message.slice(1)}`;

/** Keys that a file must not have. */
export function unknownKeys(file: YamlFile, parent: readonly string[], keys: readonly string[]): Fault[] {
  const value = parent.reduce<unknown>((each, key) => (each as Record<string, unknown> | undefined)?.[key], file.value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.keys(value).flatMap((key): Fault[] => {
    if (keys.includes(key)) return [];
    const near = nearName(key, keys);
    return [
      {
        key: file.placeOf(...parent, key) ?? key,
        found: `${[...parent, key].join(".")}, which is not a key of this file`,
        allowed: keys.join(", "),
        fix: near === undefined ? "correct its name, or take it out" : `correct its name (${near}?), or take it out`,
      },
    ];
  });
}
