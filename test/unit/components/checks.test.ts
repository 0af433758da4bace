import { describe, expect, test } from "@jest/globals";
import { planRoutes } from "../../../components/service/plan/routes.ts";
import { checkNames, checkPorts, checkVolumes, inOrder } from "../../../components/service/plan/checks.ts";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { catalogue } from "../../../stacks/catalogue.ts";
import { sample } from "../../support/sample.ts";

test("a place that is mounted twice", () => {
  const twice = { ...sample, data: [...(sample.data ?? []), { path: "cache", target: "/elsewhere" }] };
  expect(checkVolumes([twice]).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "service app: two mounts of app/cache",
  ]);
  expect(checkVolumes(catalogue)).toEqual([]);
});

test("ports that two want", () => {
  const twin = { ...sample, name: "twin" };
  expect(checkPorts([sample, twin], 8443).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "vpai:ssh.port: 8443",
    "vpai:ssh.port: 8443",
  ]);
  expect(checkPorts([sample, twin], 2222).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "service twin: port 8443/tcp, which app has",
  ]);
  expect(checkPorts(catalogue, 2222)).toEqual([]);
});

describe("names", () => {
  const said = (definition: Partial<ServiceDefinition>): string[] => {
    const all = [
      { ...sample, ...definition } as ServiceDefinition,
      {
        ...sample,
        name: "postgresql",
        database: undefined,
        secrets: {},
        route: undefined,
      } as unknown as ServiceDefinition,
    ];
    return checkNames(all, planRoutes(all, "x.org")).map(({ key, found }) => `${key}: ${found}`);
  };
  test.each<[string, Partial<ServiceDefinition>, string[]]>([
    ["nothing wrong", {}, []],
    ["taken", { name: "postgresql", secrets: {} }, ["service postgresql: its name is taken"]],
    ["a need that is not there", { needs: ["mysql"] }, ["service app: it needs mysql, which is not there"]],
    ["a secret of another service", { secrets: { key: { permanent: true } } }, ["service app: its secret key"]],
    ["a route without a way", { networks: ["egress"] }, ["service app: a route but no port on backend or frontend"]],
    ["root without a reason", { user: { uid: 0, gid: 0 } }, ["service app: it runs as root"]],
    [
      "a key of LiteLLM where there is none",
      { llm: { dailyBudgetUsd: 1 } },
      ["service app: it needs litellm, which is not there"],
    ],
  ])("%s", (_name, definition, expected) => {
    expect(said(definition)).toEqual(expected);
  });

  test("the catalogue has none wrong", () => {
    expect(checkNames(catalogue, planRoutes(catalogue, "x.org"))).toEqual([]);
  });
});

test("order: each comes after what it needs", () => {
  const [a, b] = [
    { ...sample, name: "a", needs: ["b"], database: undefined } as unknown as ServiceDefinition,
    { ...sample, name: "b", database: undefined } as unknown as ServiceDefinition,
  ];
  expect(inOrder([a, b]).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(() =>
    inOrder([
      { ...a, needs: ["b"] },
      { ...b, needs: ["a"] },
    ]),
  ).toThrow("need each other: a, b");
});
