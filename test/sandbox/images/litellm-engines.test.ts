import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { type Bench, openBench, pins, untilExec } from "./container-harness.ts";
import { openQueryEngine, openSchemaEngine, prismaUrl } from "./litellm-engines.ts";

// What stands in LiteLLM's image where Prisma's engines stand, over a schema of the test's own.

let bench: Bench;
let db: string;
let host: string;
const psql = (database: string, sql: string) => bench.exec(db, "psql", "-U", "postgres", "-d", database, "-Atc", sql);
const newDatabase = async (name: string) => {
  await psql("postgres", `CREATE DATABASE ${name}`);
  return openSchemaEngine(join(bench.home, name), prismaUrl(host, name));
};

beforeAll(async () => {
  bench = await openBench([pins.postgres]);
  db = await bench.start("db", pins.postgres, ["-e", "POSTGRES_PASSWORD=super"]);
  await untilExec(db, "pg_isready", "-h", "127.0.0.1");
  host = await bench.address(db);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

describe("the schema engine", () => {
  const LEDGER =
    "SELECT migration_name, finished_at IS NOT NULL, applied_steps_count, length(checksum), logs FROM _prisma_migrations ORDER BY 1";

  test("applies migrations in order and once, one of them outside a transaction, and notes each as Prisma does", async () => {
    const { prisma, add } = await newDatabase("fresh");
    expect(await prisma("migrate", "deploy")).toMatchObject({ code: 0, output: expect.stringContaining("Applied:") });
    const first = ["20260101000000_tables|t|1|64|", "20260102000000_an_index|t|1|64|"];
    expect((await psql("fresh", LEDGER)).split("\n")).toEqual(first);
    expect((await prisma("migrate", "deploy")).output).toContain("No pending migrations to apply.");
    await add("20260103000000_more", 'ALTER TABLE "Owner" ADD COLUMN "more" TEXT');
    expect((await prisma("migrate", "deploy")).output).toContain("20260103000000_more");
    expect((await psql("fresh", LEDGER)).split("\n")).toEqual([...first, "20260103000000_more|t|1|64|"]);
  });

  test("of two that start at the same time, one applies them", async () => {
    const { prisma } = await newDatabase("twice");
    const both = await Promise.all([prisma("migrate", "deploy"), prisma("migrate", "deploy")]);
    expect(both.map(({ code, output }) => (code === 0 ? 0 : output))).toEqual([0, 0]);
    expect(both.filter(({ output }) => output.includes("No pending"))).toHaveLength(1);
  });

  test("a migration that fails leaves nothing of itself, is noted, and stops every later run", async () => {
    const { prisma, add } = await newDatabase("broken");
    await add("20260103000000_broken", 'CREATE TABLE "Half" (id INT); SELECT 1 / 0;');
    const failed = await prisma("migrate", "deploy");
    expect(failed).toMatchObject({ code: 1, output: expect.stringMatching(/P3018[^]*20260103000000_broken[^]*22012/) });
    expect(await psql("broken", `SELECT to_regclass('"Half"') IS NULL`)).toBe("t");
    const again = await prisma("migrate", "deploy");
    expect(again).toMatchObject({
      code: 1,
      output: expect.stringMatching(/P3009[^]*`20260103000000_broken`[^]*division by zero/),
    });
  });

  test("refuses a database with tables that no migration made", async () => {
    const { prisma } = await newDatabase("tables_of_others");
    await psql("tables_of_others", "CREATE TABLE other (id INT)");
    expect(await prisma("migrate", "deploy")).toMatchObject({ code: 1, output: expect.stringContaining("P3005") });
  });

  test("says which database is not there", async () => {
    const { prisma } = await openSchemaEngine(join(bench.home, "nowhere"), prismaUrl(host, "nowhere"));
    const answer = await prisma("migrate", "deploy");
    expect(answer).toMatchObject({ code: 1, output: expect.stringContaining('database "nowhere" does not exist') });
  });

  test("says that it knows no other of Prisma's commands", async () => {
    const { prisma } = await newDatabase("other_command");
    expect((await prisma("--version")).code).toBe(0);
    expect(await prisma("db", "push")).toMatchObject({ code: 1, output: expect.stringContaining("`db push`") });
  });
});

describe("the query engine", () => {
  let engine: Awaited<ReturnType<typeof openQueryEngine>>;
  beforeAll(async () => {
    const { prisma } = await newDatabase("queries");
    await prisma("migrate", "deploy");
    engine = await openQueryEngine(prismaUrl(host, "queries"));
  }, 120_000);
  afterAll(async () => {
    expect(await engine.close()).toBe(0);
  });

  const create = (data: string, select = "id") =>
    `mutation { result: createOneOwner(data: { ${data} }) { ${select} } }`;
  const find = (where: string, select = "id") => `query { result: findManyOwner(where: { ${where} }) { ${select} } }`;

  test("creates with values of every kind, and gives back what clients of Prisma 5 read", async () => {
    const data = `id: "a", email: "a@x", metadata: "{\\"team\\": {\\"size\\": 3}}", spend: 5, limit: 9007199254740993,
      models: ["x", "y"], level: high, created: "2026-01-02T03:04:05.678000+00:00"`;
    expect(await engine.result(create(data, "id email metadata spend limit models level created"))).toEqual({
      id: "a",
      email: "a@x",
      metadata: '{"team":{"size":3}}',
      spend: 5,
      limit: "9007199254740993",
      models: ["x", "y"],
      level: "high",
      created: "2026-01-02T03:04:05.678Z",
    });
  });

  test.each([
    ["a part of a JSON field", `metadata: { path: ["team", "size"], equals: "3" }`, 1],
    ["another value there", `metadata: { path: ["team", "size"], equals: "4" }`, 0],
    ["a list that has an element", `models: { has: "y" }`, 1],
    ["one of several conditions", `OR: [{ email: "no" }, { spend: { gte: 5 } }], NOT: { email: null }`, 1],
    ["a list of values", `id: { in: ["a", "b"] }, email: { startsWith: "a" }`, 1],
    ["a time", `created: { lt: "2026-01-02T00:00:00Z" }`, 0],
  ])("finds by %s", async (_what, where, count) => {
    expect(await engine.result(find(where))).toHaveLength(count);
  });

  test("updates, counts up, replaces a list, and writes a related row with it", async () => {
    const data = `spend: { increment: 0.5 }, models: { set: ["z"] }, tokens: { create: [{ name: "t", path: "p" }] }`;
    const selection = `spend models tokens { name owner { id } } _count { tokens }`;
    const query = `mutation { result: updateOneOwner(where: { id: "a" }, data: { ${data} }) { ${selection} } }`;
    expect(await engine.result(query)).toEqual({
      spend: 5.5,
      models: ["z"],
      tokens: [{ name: "t", owner: { id: "a" } }],
      _count: { tokens: 1 },
    });
    const unique = `query { result: findUniqueToken(where: { ownerId_path: { ownerId: "a", path: "p" } }) { name } }`;
    expect(await engine.result(unique)).toEqual({ name: "t" });
  });

  test("upserts: creates, and then updates", async () => {
    const query = `mutation { result: upsertOneOwner(where: { id: "u" }, create: { id: "u", spend: 1.5 },
      update: { spend: { increment: 2 } }) { spend } }`;
    expect([await engine.result(query), await engine.result(query)]).toEqual([{ spend: 1.5 }, { spend: 3.5 }]);
  });

  test("writes many, leaves out what is there, counts, groups and deletes", async () => {
    const many = `mutation { result: createManyToken(data: [{ name: "m1" }, { name: "m2" }], skipDuplicates: true) { count } }`;
    expect([await engine.result(many), await engine.result(many)]).toEqual([{ count: 2 }, { count: 0 }]);
    const count = `query { result: aggregateToken(where: { name: { startsWith: "m" } }) { _count { _all } } }`;
    expect(await engine.result(count)).toEqual({ _count: { _all: 2 } });
    const group = `query { result: groupByOwner(by: [level], orderBy: [{ level: "asc" }]) { level _sum { spend } } }`;
    expect(await engine.result(group)).toEqual([
      { level: "low", _sum: { spend: 3.5 } },
      { level: "high", _sum: { spend: 5.5 } },
    ]);
    const remove = `mutation { result: deleteManyToken(where: { name: { in: ["m1", "m2"] } }) { count } }`;
    expect(await engine.result(remove)).toEqual({ count: 2 });
    expect(await engine.result(`query { result: findUniqueToken(where: { name: "m1" }) { name } }`)).toBeNull();
  });

  test("runs SQL with parameters, and names the type of each column", async () => {
    const sql = `SELECT $1::text AS a, count(*) AS b, 1.50::numeric AS c, '{"x": 1}'::jsonb AS d,
      array_agg(schemaname) AS e, '2026-01-01 00:00:00'::timestamp AS f, 2 = ANY($2) AS g, NULL AS h
      FROM pg_views WHERE viewname = 'pg_views'`;
    const value = (prisma__type: string, prisma__value: unknown) => ({ prisma__type, prisma__value });
    expect(await engine.result(engine.raw(sql, "it's", [1, 2]))).toEqual([
      {
        a: value("string", "it's"),
        b: value("bigint", "1"),
        c: value("decimal", "1.5"),
        d: value("json", { x: 1 }),
        e: value("array", [value("string", "pg_catalog")]),
        f: value("datetime", "2026-01-01T00:00:00+00:00"),
        g: value("bool", true),
        h: value("null", null),
      },
    ]);
    const write = `mutation { result: executeRaw(query: "UPDATE \\"Owner\\" SET spend = $1 WHERE id = $2", parameters: "[7, \\"u\\"]") }`;
    expect(await engine.result(write)).toBe(1);
  });

  test.each([
    [
      "a value that another row has",
      create(`id: "b", email: "a@x"`),
      {
        error_code: "P2002",
        message: "Unique constraint failed on the fields: (`email`)",
        meta: { target: ["email"] },
      },
    ],
    [
      "two values that another row has together",
      `mutation { result: createOneToken(data: { name: "t2", path: "p", owner: { connect: { id: "a" } } }) { name } }`,
      { error_code: "P2002", meta: { target: expect.arrayContaining(["ownerId", "path"]) } },
    ],
    [
      "a row that is referred to",
      `mutation { result: deleteOneOwner(where: { id: "a" }) { id } }`,
      { error_code: "P2003" },
    ],
    [
      "a row that is not there",
      `mutation { result: updateOneOwner(where: { id: "no" }, data: { spend: 1 }) { id } }`,
      { error_code: "P2025" },
    ],
    ["a field that is not there", find("nothing: 1"), { error_code: "P2009", meta: { kind: "UnknownInputField" } }],
    [
      "a value that is missing",
      `mutation { result: createOneToken(data: { path: "x" }) { name } }`,
      { message: expect.stringContaining("A value is required but not set") },
    ],
    ["wrong SQL", `query { result: queryRaw(query: "SELECT nothing", parameters: "[]") }`, { error_code: "P2010" }],
  ])("an error says which: %s", async (_what, query, expected) => {
    expect(await engine.ask(query)).toMatchObject({
      errors: [{ user_facing_error: { is_panic: false, ...expected } }],
    });
  });

  test("what is no query is an error, and the engine goes on", async () => {
    for (const query of ["nonsense", "query { result: sing { a } }", "query { result: findManyNothing { a } }"]) {
      expect(await engine.ask(query)).toMatchObject({ errors: [{ error: expect.any(String) }] });
    }
    expect(await engine.result(find(`id: "a"`))).toHaveLength(1);
  });

  test("a batch is done as a whole or not at all", async () => {
    const add = {
      query: `mutation { result: updateManyOwner(where: { id: "a" }, data: { spend: { increment: 10 } }) { count } }`,
    };
    const bad = { query: create(`id: "a"`) };
    expect(await engine.post("/", { batch: [add, bad], transaction: true })).toMatchObject({ errors: [{}] });
    expect(await engine.result(find(`id: "a"`, "spend"))).toEqual([{ spend: 5.5 }]);
    expect(await engine.post("/", { batch: [add, add], transaction: true })).toEqual({
      batchResult: [{ data: { result: { count: 1 } } }, { data: { result: { count: 1 } } }],
    });
    expect(await engine.result(find(`id: "a"`, "spend"))).toEqual([{ spend: 25.5 }]);
  });

  test("a transaction sees what it writes, raw SQL too, and others see it when it is committed", async () => {
    const begin = async () => (await engine.post("/transaction/start", { max_wait: 2000, timeout: 30_000 })).id ?? "";
    const seen = engine.raw(`SELECT count(*) FROM "Token" WHERE name = 'inside'`);
    const write = `mutation { result: createOneToken(data: { name: "inside" }) { name } }`;
    const count = async (id?: string) =>
      ((await engine.result(seen, id)) as { count: { prisma__value: string } }[])[0]?.count.prisma__value;
    const first = await begin();
    await engine.result(write, first);
    expect([await count(first), await count()]).toEqual(["1", "0"]);
    expect(await engine.post(`/transaction/${first}/rollback`, {})).toEqual({});
    expect(await engine.ask(seen, first)).toMatchObject({
      errors: [
        { error: expect.stringMatching(/^Transaction already closed/), user_facing_error: { error_code: "P2028" } },
      ],
    });
    const second = await begin();
    await engine.result(write, second);
    await engine.post(`/transaction/${second}/commit`, {});
    expect(await count()).toBe("1");
  });

  test("an interrupted connection is opened again", async () => {
    await psql("postgres", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'queries'");
    await engine.ask(find(`id: "a"`));
    expect(await engine.result(find(`id: "a"`))).toHaveLength(1);
  });
});
