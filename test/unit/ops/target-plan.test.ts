import { describe, expect, test } from "@jest/globals";
import {
  type KnownResource,
  targetPlan,
  type PlannedService,
  requireServices,
} from "../../../ops/deploy/target-plan.ts";

const service = (name: string, startupDependencies: string[] = [], accountHolders: string[] = []): PlannedService => ({
  name,
  startupDependencies,
  needs: [...new Set([...startupDependencies, ...accountHolders])],
  accountHolders,
  networks: ["backend"],
});

const services = [
  service("postgresql"),
  service("redis"),
  service("redis-exporter", ["redis"]),
  service("litellm", ["postgresql", "redis"], ["redis"]),
  service("n8n", ["postgresql"], ["litellm"]),
  service("caddy"),
];

const PREFIX = "urn:pulumi:prod::vpai::";
const component = (name: string): string => `${PREFIX}vpai:service:DockerService::${name}`;

/** A state with these services up. */
function state(...names: readonly string[]): KnownResource[] {
  return [
    { urn: `${PREFIX}vpai:host:Host$command:remote:Command::host-ready` },
    { urn: `${PREFIX}vpai:host:Host$docker:index/network:Network::host-network-backend` },
    ...names.flatMap((name) => [
      { urn: `${PREFIX}vpai:service:Images$docker:index/remoteImage:RemoteImage::images-${name}` },
      { urn: component(name) },
      ...["files", "container", "healthy"].map((part) => ({
        urn: `${PREFIX}vpai:service:DockerService$x::${name}-${part}`,
        parent: component(name),
      })),
    ]),
  ];
}

const all = services.map(({ name }) => name);
const plan = (wanted: string[], known: readonly KnownResource[], secrets: string[] = []) =>
  targetPlan({ wanted, services, secrets, known, stack: "prod" });
const targets = (flags: readonly string[]): string[] => flags.filter((_, index) => index % 2 === 1);

test("a service that nothing depends on runs alone", () => {
  const { services: chosen, images, notes, flags } = plan(["caddy"], state(...all));
  expect([chosen, images, notes]).toEqual([["caddy"], ["caddy"], []]);
  expect(flags.slice(0, 2)).toEqual(["--target", "**::caddy"]);
  expect(targets(flags)).toEqual([
    "**::caddy",
    "**::caddy-admit",
    "**::caddy-container",
    "**::caddy-database",
    "**::caddy-files",
    "**::caddy-healthy",
    "**::caddy-open",
    "**::caddy-prepared",
    "**::caddy-provisioned",
    "**::host-ready",
    "**::images-caddy",
    "**::secrets-permanent-guard",
  ]);
});

test("what depends on it is taken along, and what depends on that", () => {
  const { services: chosen, notes } = plan(["redis"], state(...all));
  expect(chosen).toEqual(["redis", "redis-exporter", "litellm", "n8n"]);
  expect(notes).toEqual(["also its dependents: redis-exporter, litellm, n8n"]);
});

test("a name that begins like another's is not that other", () => {
  const found = targets(plan(["redis-exporter"], state(...all)).flags);
  expect(found.filter((name) => name.startsWith("**::redis-container"))).toEqual([]);
  expect(found).toContain("**::redis-exporter-container");
});

test("what depends on it and is not up is left for the whole run", () => {
  expect(plan(["redis"], state("postgresql", "redis", "caddy")).services).toEqual(["redis"]);
});

test("a new service takes along those that have to know it, and nothing else that is in place", () => {
  const known = state("postgresql", "redis", "litellm", "caddy");
  const { services: chosen, notes } = plan(["n8n"], known);
  expect(chosen).toEqual(["litellm", "n8n"]);
  expect(notes).toEqual(["also the providers of its accounts: litellm"]);
});

test("what all share and is not there yet is made: other new services' images, secrets, its networks", () => {
  const known = state("postgresql", "caddy");
  const { flags, images } = plan(["caddy"], known, ["redis-acl", "n8n-key"]);
  expect(targets(flags).filter((name) => /images-|secrets-|network/.test(name))).toEqual([
    ...["caddy", "litellm", "n8n", "redis", "redis-exporter"].map((name) => `**::images-${name}`),
    "**::secrets-n8n-key",
    "**::secrets-permanent-guard",
    "**::secrets-redis-acl",
  ]);
  expect(images).toEqual(["redis", "redis-exporter", "litellm", "n8n", "caddy"]);
  const bare = known.filter(({ urn }) => !urn.includes("network"));
  expect(targets(plan(["caddy"], bare).flags)).toContain("**::host-network-backend");
});

test("parts that only the state knows are its service's", () => {
  const extra = [
    { urn: `${PREFIX}x::caddy-something`, parent: component("caddy") },
    { urn: `${PREFIX}x::deep`, parent: `${PREFIX}x::caddy-something` },
  ];
  expect(targets(plan(["caddy"], [...state(...all), ...extra]).flags)).toEqual(
    expect.arrayContaining(["**::caddy-something", "**::deep"]),
  );
});

describe("refused", () => {
  test.each<[string, () => unknown, string]>([
    [
      "an unknown service",
      () => requireServices(["n8n", "redi"], "prod", all),
      `--only: redi\n  allowed: ${all.join(", ")} (the services of stack prod)`,
    ],
    ["no service", () => plan([], state(...all)), "--only: no service"],
    [
      "a stack that is not up",
      () => plan(["caddy"], []),
      "--only: stack prod has not been brought up\n  allowed: a stack with a running server\n  do: `vpai up --stack prod` first",
    ],
    [
      "a service without what it starts after",
      () => plan(["litellm"], state("postgresql")),
      "--only: litellm, which depends on redis, and redis is not up\n  do: add it (`--only litellm,redis`), or `vpai up --stack prod`",
    ],
  ])("%s", (_name, attempt, message) => {
    expect(attempt).toThrow(message);
  });

  test("not when what it starts after is in the run", () => {
    expect(plan(["litellm", "redis"], state("postgresql")).services).toEqual(["redis", "litellm"]);
  });
});
