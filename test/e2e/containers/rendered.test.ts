import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { run } from "../../../shared/exec.ts";
import { images } from "../../../components/images.ts";
import { catalogue } from "../../../stacks/catalogue.ts";
import { readRendered, renderedPath } from "../../support/rendered.ts";
import { type Bench, openBench, untilExec } from "../../sandbox/images/container-harness.ts";

// What test/rendered shows is given to the products that have to read it. Shell scripts are checked by lint.

let bench: Bench;
const mounted = (service: string): string[] => ["-v", `${renderedPath(service)}:/etc/vpai:ro`];

beforeAll(async () => {
  bench = await openBench([
    images.caddy.pin,
    images.redis.pin,
    images.postgresql.pin,
    images.alloy.pin,
    images.loki.pin,
  ]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

test.each([
  ["caddy", images.caddy.pin, ["caddy", "validate", "--config", "/etc/vpai/Caddyfile", "--adapter", "caddyfile"]],
  ["alloy", images.alloy.pin, ["validate", "/etc/vpai/config.alloy"]],
  ["loki", images.loki.pin, ["-config.file=/etc/vpai/loki.yaml", "-verify-config"]],
])("%s takes its configuration", async (service, pin, command) => {
  const { code, output } = await bench.once(pin, [...mounted(service), "--user", "0:0"], command);
  expect({ code, output: code === 0 ? "" : output }).toEqual({ code: 0, output: "" });
});

test("Redis starts with its configuration and its accounts, one of which may ask for its health", async () => {
  // It does not start with an account that it cannot read.
  const command = ["redis-server", "/etc/vpai/redis.conf"];
  const container = await bench.start("redis", images.redis.pin, [...mounted("redis"), "--user", "0:0"], command);
  const ping = ["--pass", "no password", "--no-auth-warning", "ping"];
  expect(await untilExec(container, "redis-cli", "--user", "health", ...ping)).toBe("PONG");
});

describe("PostgreSQL", () => {
  let container: string;
  const sql = (query: string): Promise<string> => bench.exec(container, "psql", "-U", "postgres", "-Atc", query);

  beforeAll(async () => {
    const command = ["-c", "config_file=/etc/vpai/postgresql.conf"];
    const options = [...mounted("postgresql"), "-e", "POSTGRES_PASSWORD=x"];
    container = await bench.start("postgresql", images.postgresql.pin, options, command);
    await untilExec(container, "pg_isready", "-h", "127.0.0.1", "-U", "postgres");
  }, 60_000);

  test("takes every line of its configuration", async () => {
    expect(await sql("select name, error from pg_file_settings where error is not null")).toBe("");
    expect(await sql("select line_number, error from pg_hba_file_rules where error is not null")).toBe("");
    expect(await sql("select count(*) from pg_hba_file_rules")).toBe("2");
  });

  const databases = catalogue.map(({ name }) => name).filter((name) => readRendered(name)["database.sql"]);
  test.each(databases)("runs the statements that make %s's database, and runs them again", async (name) => {
    const path = await bench.file(`${name}.sql`, readRendered(name)["database.sql"] ?? "");
    await run("docker", ["cp", path, `${container}:/tmp/${name}.sql`]);
    for (let time = 0; time < 2; time++) {
      const output = await bench.exec(
        container,
        "psql",
        "-U",
        "postgres",
        "-v",
        "ON_ERROR_STOP=1",
        "-qf",
        `/tmp/${name}.sql`,
      );
      expect(output).toBe("");
    }
  });
});

const texts = catalogue.flatMap(({ name }) =>
  Object.entries(readRendered(name)).map(([file, text]) => ({ at: `${name}/${file}`, text })),
);

test.each(texts.filter(({ at }) => /\.(json|ya?ml)$/.test(at) && !/\/(host|provision)\.json$/.test(at)))(
  "$at is read without a warning",
  ({ at, text }) => {
    const read: unknown = at.endsWith(".json") ? JSON.parse(text) : parse(text, { strict: true, uniqueKeys: true });
    expect(read).toBeDefined();
  },
);
