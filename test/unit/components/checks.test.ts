import { describe, expect, test } from "@jest/globals";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { checkNames, checkPorts, checkVolumes } from "../../../components/service/plan/checks.ts";
import { topologicalOrder } from "../../../components/service/plan/order.ts";
import { planRoutes } from "../../../components/service/plan/routes.ts";
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
  const sshd = (port: number) => [{ setting: "vpai:ssh.port", port }];
  expect(checkPorts([sample], sshd(8443)).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "vpai:ssh.port: 8443, which app publishes",
  ]);
  expect(checkPorts([sample, twin], sshd(2222)).map(({ key, found }) => `${key}: ${found}`)).toEqual([
    "service twin: port 8443/tcp, which app has",
  ]);
  expect(checkPorts(catalogue, sshd(2222))).toEqual([]);
});

describe("names", () => {
  const said = (definition: Partial<ServiceDefinition>): string[] => {
    const all = [
      { ...sample, ...definition } as ServiceDefinition,
      {
        ...sample,
        name: "postgresql",
        provides: "database",
        database: undefined,
        secrets: {},
        route: undefined,
      } as unknown as ServiceDefinition,
    ];
    return checkNames(all, planRoutes(all, { domain: "x.org", publicPort: 443 })).map(
      ({ key, found }) => `${key}: ${found}`,
    );
  };
  test.each<[string, Partial<ServiceDefinition>, string[]]>([
    ["nothing wrong", {}, []],
    ["duplicate", { name: "postgresql", secrets: {} }, ["service postgresql: duplicate name"]],
    ["an unknown dependency", { needs: ["mysql"] }, ["service app: depends on unknown service mysql"]],
    ["a secret of another service", { secrets: { key: { permanent: true } } }, ["service app: its secret key"]],
    ["a route without a way", { networks: ["egress"] }, ["service app: a route but no port on backend or frontend"]],
    ["root without a reason", { user: { uid: 0, gid: 0 } }, ["service app: runs as root"]],
    [
      "a key for language models without a provider",
      { llm: { dailyBudgetUsd: 1 } },
      ["service app: requires llm, which no service provides"],
    ],
  ])("%s", (_name, definition, expected) => {
    expect(said(definition)).toEqual(expected);
  });

  test("the catalogue has none wrong", () => {
    expect(checkNames(catalogue, planRoutes(catalogue, { domain: "x.org", publicPort: 443 }))).toEqual([]);
  });
});

test("order: each comes after what it needs", () => {
  const [a, b] = [
    { ...sample, name: "a", needs: ["b"], database: undefined } as unknown as ServiceDefinition,
    { ...sample, name: "b", database: undefined } as unknown as ServiceDefinition,
  ];
  expect(topologicalOrder([a, b]).map(({ name }) => name)).toEqual(["b", "a"]);
  expect(() =>
    topologicalOrder([
      { ...a, needs: ["b"] },
      { ...b, needs: ["a"] },
    ]),
  ).toThrow("services depend on each other: a, b");
});
