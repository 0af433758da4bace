import { describe, expect, test } from "@jest/globals";
import { enginePackages } from "../../../sandbox/images/litellm/packages.ts";
import { readUrl } from "../../../sandbox/images/litellm/query-engine/database-url.ts";
import { forCompiler, readDatamodel } from "../../../sandbox/images/litellm/query-engine/datamodel.ts";

const SCHEMA = `
datasource client {
  provider = "postgresql"
  url      = env("DATABASE_URL")
}

generator client {
  provider = "prisma-client-py"
}

// model Old { id String }
model Team {
  team_id  String  @id @default(uuid()) // its name
  /// members
  members  User[]
  settings Json?
  budget   Decimal?

  @@index([team_id])
}

model User {
  id   String @id
  team Team?  @relation(fields: [id], references: [team_id])
}
`;

describe("a Prisma schema", () => {
  test("is read as models with the types of their fields", () => {
    expect(readDatamodel(SCHEMA)).toEqual({
      Team: {
        team_id: { type: "String", relation: false },
        members: { type: "User", relation: true },
        settings: { type: "Json", relation: false },
        budget: { type: "Decimal", relation: false },
      },
      User: { id: { type: "String", relation: false }, team: { type: "Team", relation: true } },
    });
  });

  test("goes to Prisma 7's compiler without the database's address and without generators", () => {
    const schema = forCompiler(SCHEMA);
    expect(schema).toContain('datasource client {\n  provider = "postgresql"');
    expect(schema).not.toMatch(/url\s*=|generator/);
    expect(schema).toContain("@relation(fields: [id], references: [team_id])");
  });
});

test.each([
  ["postgresql://a:b@c/d", "postgresql://a:b@c/d", 5],
  ["postgresql://a:b%2F@c:1/d?connection_limit=10&pool_timeout=60", "postgresql://a:b%2F@c:1/d", 10],
  ["postgresql://a@c/d?schema=public&sslmode=require", "postgresql://a@c/d?sslmode=require", 5],
])("Prisma's database URL %s is PostgreSQL's %s with %i connections", (url, connectionString, connections) => {
  expect(readUrl(url)).toEqual({ connectionString, connections });
});

test("the engines' packages are those that they import and what these need, each once and at one version", async () => {
  const packages = await enginePackages();
  const paths = packages.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["node_modules/pg", "node_modules/pg-protocol", "node_modules/graphql"]),
  );
  expect(new Set(paths).size).toBe(paths.length);
  expect(packages.every(({ version }) => /^\d+\.\d+\.\d+/.test(version))).toBe(true);
});
