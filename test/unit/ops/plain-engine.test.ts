import { expect, test } from "@jest/globals";
import { needsStack, throughVpai, withStack } from "../../../ops/engine/plain-engine.ts";

test.each([
  [["config", "set", "--secret", "vpai:hetznerToken"], true],
  [["up"], true],
  [["stack", "export"], true],
  [["stack"], true],
  [["state", "unprotect", "--all"], true],
  [["stack", "init", "prod"], false],
  [["stack", "ls"], false],
  [["login", "s3://bucket"], false],
  [["whoami"], false],
  [["plugin", "ls"], false],
  [["version"], false],
  [["--help"], false],
  [["config", "-h"], false],
  [[], false],
])("the engine with %j works on a stack: %s", (args, expected) => {
  expect(needsStack(args)).toBe(expected);
});

test("the stack asked for beats one that the operator's shell has chosen", () => {
  expect(withStack({ PATH: "/bin", PULUMI_STACK: "other" }, "prod")).toEqual({ PATH: "/bin", PULUMI_STACK: "prod" });
});

test("advice about the plain engine can be typed where the engine is on no PATH", () => {
  const advice =
    "✗ vpai:a: 7\n  do: `pulumi config set vpai:a <value>`, or `pulumi config rm vpai:a`; see Pulumi.prod.yaml";
  expect(throughVpai(advice, "prod")).toBe(
    "✗ vpai:a: 7\n  do: `npx vpai pulumi --stack prod -- config set vpai:a <value>`, " +
      "or `npx vpai pulumi --stack prod -- config rm vpai:a`; see Pulumi.prod.yaml",
  );
  expect(throughVpai("do: run `vpai up --stack prod`", "prod")).toBe("do: run `vpai up --stack prod`");
});
