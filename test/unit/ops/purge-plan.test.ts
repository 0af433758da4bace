import { expect, test } from "@jest/globals";
import { planPurge, purgeCommand } from "../../../ops/services/purge-plan.ts";

const kept = [
  { name: "postgresql", permanent: [] },
  { name: "redis-exporter", permanent: ["redis-exporter-key"] },
  { name: "litellm", database: "litellm", permanent: ["litellm-salt-key"] },
];
const plan = (service: string, database?: string) => planPurge({ stack: "prod", service, database }, kept);

test("a service that is gone: what is to be looked at, and whose fingerprints stay", () => {
  expect(plan("redis")).toEqual({
    mode: "look",
    service: "redis",
    database: null,
    keep: ["redis-exporter-key", "litellm-salt-key"],
  });
  expect(plan("n8n", "n8n").database).toBe("n8n");
});

test("the remote command is one that a shell takes apart again as it was", () => {
  const command = purgeCommand({ mode: "remove", service: "n8n", database: "n8n", keep: ["a-b"] });
  expect(command.join(" ")).toBe(
    `sudo -n python3 - '{"mode":"remove","service":"n8n","database":"n8n","keep":["a-b"]}'`,
  );
});

test.each<[string, string, string | undefined, string]>([
  [
    "a service of the stack",
    "litellm",
    undefined,
    "--service: litellm, which stack prod has\n  allowed: a service that is no longer in the stack\n  do: take it out of the stack (vpai:disabledServices in Pulumi.prod.yaml, or stacks/catalogue.ts), and `vpai up --stack prod` first",
  ],
  ["a path", "../n8n", undefined, "--service: ../n8n\n  allowed: a service's name: a-z, 0-9 and -"],
  ["another service's database", "n8n", "litellm", "--database: litellm, which is litellm's\n"],
  ["PostgreSQL's own database", "n8n", "template1", "--database: template1, which is PostgreSQL's own\n"],
  ["PostgreSQL's own role", "n8n", "pg_monitor", "--database: pg_monitor, which is PostgreSQL's own\n"],
  ["a database with a quote", "n8n", `n8n"`, `--database: n8n", which is not a plain name: a-z, 0-9 and _\n`],
])("refused: %s", (_name, service, database, message) => {
  expect(() => plan(service, database)).toThrow(message);
});

test("everything that is wrong is told at once", () => {
  expect(() => plan("litellm", "postgres")).toThrow(/--service: litellm.*[\s\S]*--database: postgres/);
});
