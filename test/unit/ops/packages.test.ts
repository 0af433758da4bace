import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { missingPackages, type Tool } from "../../../ops/stack/packages.ts";

const bin = mkdtempSync(join(tmpdir(), "vpai-tools-"));
writeFileSync(join(bin, "here"), "");
chmodSync(join(bin, "here"), 0o755);
afterAll(() => rmSync(bin, { recursive: true }));

test.each<[Tool, string[]]>([
  [["here", "a-package"], []],
  [["elsewhere", "a-package"], ["a-package"]],
  [[join(bin, "here"), "a-package"], []],
  [[join(bin, "elsewhere"), "a-package"], ["a-package"]],
])("of %j the packages %j are lacking", (tool, packages) => {
  expect(missingPackages([tool], `/no/such/directory:${bin}`)).toEqual(packages);
});
