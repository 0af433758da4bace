import { expect, test } from "@jest/globals";
import { replacedWords } from "../../../ops/dev/terminology.ts";

test("a replaced phrase is named with its place and what to write instead", () => {
  expect(replacedWords("sandbox/a.ts", "const a = 1;\n// It cannot be had.\n")).toEqual([
    'sandbox/a.ts:2: "be had": write be available, be found (ops/dev/words.ts)',
  ]);
});

test.each([
  ["ops/a.ts", "// built anew", 1],
  ["ops/a.ts", 'const said = "Nobody told it";', 3],
  ["sandbox/a.ts", "// built anew", 0],
  ["ops/a.ts", "// a renewed certificate, untold, ago", 0],
  ["toolchain/go/go.sum", "anew", 0],
])("%s: %s has %d of them", (file, text, count) => {
  expect(replacedWords(file, text)).toHaveLength(count);
});
