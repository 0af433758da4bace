import { expect, test } from "@jest/globals";
import { importCycles, importsOf } from "../../../ops/dev/import-cycles.ts";

const cycles = (imports: Record<string, string[]>) => importCycles(new Map(Object.entries(imports)));

test.each([
  ["nothing", {}, []],
  ["two ways to one file", { a: ["b", "c"], b: ["d"], c: ["d"], d: [] }, []],
  ["a file that imports itself", { a: ["a"] }, [["a", "a"]]],
  ["a cycle behind another file", { a: ["b"], b: ["c"], c: ["b"] }, [["b", "c", "b"]]],
  ["two cycles through one file", { a: ["b", "c"], b: ["a"], c: ["a"] }, [["a", "b", "a"], ["a", "c", "a"]]], // prettier-ignore
  ["a cycle that is not found from the first file", { a: [], b: ["a", "c"], c: ["b"] }, [["b", "c", "b"]]],
])("%s", (_name, imports, expected) => {
  expect(cycles(imports)).toEqual(expected);
});

test("type imports and re-exports count, packages and lazy imports do not", async () => {
  const text = `
import { z } from "zod";
import type { A } from "../model/a.ts";
import "./side-effect.ts";
export { b } from "./b.ts";
export const c = 1;
const lazy = () => import("./lazy.ts");
`;
  expect(await importsOf("components/plan/x.ts", text)).toEqual([
    "components/model/a.ts",
    "components/plan/side-effect.ts",
    "components/plan/b.ts",
  ]);
});
