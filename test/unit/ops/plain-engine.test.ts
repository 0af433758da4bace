import { expect, test } from "@jest/globals";
import { destroys, namedStack, needsStack, throughVpai, withStack } from "../../../ops/engine/plain-engine.ts";

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
    "✗ vpai:a: 7\n  do: `./vpai pulumi --stack prod -- config set vpai:a <value>`, " +
      "or `./vpai pulumi --stack prod -- config rm vpai:a`; see Pulumi.prod.yaml",
  );
  expect(throughVpai("do: run `vpai up --stack prod`", "prod")).toBe("do: run `vpai up --stack prod`");
});

test.each([
  [["destroy"], true],
  [["destroy", "--yes", "--target", "x"], true],
  [["down", "--yes"], true],
  [["dn"], true],
  [["--cwd", "/tmp", "--color=never", "destroy"], true],
  [["-s", "prod", "destroy"], true],
  [["destroy", "--help"], false],
  [["destroy", "--preview-only"], false],
  [["up", "--message", "destroy"], false],
  [["config", "set", "vpai:domain", "destroy"], false],
  [["stack", "export"], false],
])("the engine with %j deletes resources: %s", (args, expected) => {
  expect(destroys(args)).toBe(expected);
});

test.each([
  [["destroy"], undefined],
  [["destroy", "--stack", "prod"], "prod"],
  [["destroy", "--stack=org/vpai/prod"], "org/vpai/prod"],
  [["-s", "prod", "destroy"], "prod"],
])("%j name the stack %s", (args, expected) => {
  expect(namedStack(args)).toBe(expected);
});
