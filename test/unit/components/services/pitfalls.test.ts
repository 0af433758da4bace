import { expect, test } from "@jest/globals";
import { renderDatabaseSql } from "../../../../components/database/sql.ts";
import { renderCaddyfile } from "../../../../components/services/caddy/config.ts";
import type { Reveal } from "../../../../components/service/model/facets.ts";
import { databaseSecret } from "../../../../components/service/model/secrets.ts";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { filesOf, planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom } from "../../../../components/service/plan/secrets.ts";
import { containerArgs } from "../../../../components/service/docker-service.ts";
import { caddy } from "../../../../components/services/caddy/service.ts";
import { n8n } from "../../../../components/services/n8n/service.ts";
import { postgresql } from "../../../../components/services/postgresql/service.ts";
import { redis } from "../../../../components/services/redis/service.ts";
import { catalogue } from "../../../../stacks/catalogue.ts";
import { testContext } from "../../../support/context.ts";

// The predecessor's failures that belong to no single file; the others stand beside the service that they concern.

const context = testContext();
const env = (definition: typeof n8n): Readonly<Record<string, string>> => definition.environment?.(context) ?? {};
const placeholder: Reveal = (secret) => `value of ${secret}`;
const texts = (definition: typeof n8n): string =>
  filesOf(definition, context)
    .map(({ content }) => content(context, placeholder))
    .join("\n");

test("P7: every image is pinned by a digest, and none by a tag alone", () => {
  for (const { image } of catalogue) expect(image.pin).toMatch(/:[^@:]+@sha256:[0-9a-f]{64}$/);
});

test("P9: PostgreSQL's data is mounted at the parent of the versioned directories", () => {
  expect(postgresql.data).toEqual([{ path: "", target: "/var/lib/postgresql" }]);
});

test("P10: PostgreSQL's cluster needs no locale of the image's, logs to Docker, and its files are plain text", () => {
  expect(env(postgresql)["POSTGRES_INITDB_ARGS"]).toMatch(/--encoding=UTF8 --locale=C\b/);
  expect(texts(postgresql)).toContain("logging_collector = off");
  // No carriage return, and no byte beyond ASCII.
  expect(texts(postgresql)).toMatch(/^[\n\x20-\x7e]*$/);
});

test("P11: roles, databases and passwords are made right on a cluster that is there already", () => {
  const plan = {
    service: "x",
    server: "postgresql",
    name: "x",
    password: databaseSecret("x"),
    extensions: [],
    memberOf: [],
    holdsData: true,
  };
  const sql = renderDatabaseSql(plan, "SCRAM-SHA-256$4096:c2FsdA==$c3RvcmVk:c2VydmVy");
  expect(sql).toMatch(/CREATE ROLE[^]*WHERE NOT EXISTS[^]*ALTER ROLE "x" WITH[^]*PASSWORD/);
  expect(postgresql.data?.some(({ target }) => target.includes("initdb"))).toBe(false);
});

test("P12: Redis renames no command, and no password is in a command line", () => {
  expect(texts(redis)).not.toContain("rename-command");
  expect(redis.health.test.join(" ")).not.toMatch(/ -a | --pass (?!any)/);
});

test("P14: Caddy is asked for its health on an address that needs no name and no certificate", () => {
  expect(caddy.health.test.at(-1)).toBe("http://127.0.0.1:9180/health");
  expect(texts(caddy)).toMatch(/^http:\/\/127\.0\.0\.1:9180 \{$/m);
});

test("P14b: Caddy's file has no directive of a plugin, and is validated by its own image before it counts", () => {
  expect(texts(caddy)).not.toMatch(/rate_limit|dns ovh/);
  const files = planFiles(caddy, context, "the-image", revealFrom({}));
  expect(files.validate?.join(" ")).toMatch(/the-image validate --config/);
});

test("P23: one host name a service, and nothing is stripped from a path", () => {
  const file = renderCaddyfile(context.domain, [], []);
  expect(file).not.toMatch(/strip_prefix|handle_path/);
  for (const { route } of catalogue) expect(route?.subdomain ?? "x").toMatch(/^[a-z0-9-]+$/);
});

test("P27, P28, P29: n8n knows its proxy, what its Code node may use, and gets its owner over its API", () => {
  expect(env(n8n)["N8N_PROXY_HOPS"]).toBe("1");
  expect(env(n8n)["N8N_BLOCK_ENV_ACCESS_IN_NODE"]).toBe("true");
  expect(env(n8n)["NODE_FUNCTION_ALLOW_BUILTIN"]).toMatch(/\w/);
  expect(JSON.stringify(n8n.provision?.steps(context, placeholder))).toContain("emailOrLdapLoginId");
});

test("P35: another environment is another container", () => {
  const args = (timezone: string) => containerArgs(planContainer(n8n, { ...context, timezone })).envs;
  expect(args("Etc/UTC")).not.toEqual(args("Europe/Paris"));
});

test("P42: every container has a limit of memory, and no swap beyond it", () => {
  for (const definition of catalogue) {
    const { memory, memorySwap } = containerArgs(planContainer(definition, context));
    expect(memory).toBeGreaterThan(0);
    expect(memorySwap).toBe(memory);
  }
});

test("P17: no health check asks for localhost", () => {
  for (const { health } of catalogue) expect(health.test.join(" ")).not.toContain("localhost");
});
