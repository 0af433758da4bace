import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { OperatorError } from "../../../shared/errors.ts";
import { parsePin, withDigest } from "../../../shared/pin.ts";
import { layout } from "../../../sandbox/images/postgres/recipe.ts";
import { chooseRecipes } from "../../../sandbox/images/publish.ts";
import { recipeKey } from "../../../sandbox/images/recipe.ts";
import { recipes } from "../../../sandbox/images/recipes.ts";
import { filesOf } from "../../../toolchain/cache.ts";

const digest = `sha256:${"a1".repeat(32)}`;

describe("a pin", () => {
  test("comes apart into repository, path, tag and digest", () => {
    expect(parsePin(`docker.n8n.io/n8nio/n8n:2.42.4@${digest}`)).toEqual({
      text: `docker.n8n.io/n8nio/n8n:2.42.4@${digest}`,
      repository: "docker.n8n.io/n8nio/n8n",
      host: "docker.n8n.io",
      path: "n8nio/n8n",
      tag: "2.42.4",
      digest,
    });
  });

  test("takes another digest and keeps the rest", () => {
    const other = `sha256:${"0".repeat(64)}`;
    expect(withDigest(parsePin(`ghcr.io/a/b:v1@${digest}`), other)).toBe(`ghcr.io/a/b:v1@${other}`);
  });

  test.each([
    ["no digest", "docker.io/library/redis:8"],
    ["no tag", `docker.io/library/redis@${digest}`],
    ["no host", `library/redis:8@${digest}`],
    ["a short digest", `docker.io/library/redis:8@${digest.slice(0, -1)}`],
    ["upper-case hex", `docker.io/library/redis:8@sha256:${"A".repeat(64)}`],
    ["nothing", ""],
  ])("with %s is refused, and the error says what a pin looks like", (_, text) => {
    expect(() => parsePin(text)).toThrow(
      new OperatorError({
        key: "image",
        found: text,
        allowed: "host/repository:tag@sha256:<64 hex digits>, e.g. docker.io/library/redis:8.10.2-alpine@sha256:…",
        fix: "write the image with its registry, its tag and its digest",
      }),
    );
  });
});

describe("the recipe", () => {
  const choose = (repository: string, full: boolean) => {
    const [choice] = chooseRecipes([parsePin(`${repository}:1@${digest}`)], full);
    return choice && `${choice.recipe.name}/${choice.recipe.kind}`;
  };

  test.each([
    ["docker.io/library/postgres", "postgres/real", "postgres/real"],
    ["docker.io/pgvector/pgvector", "postgres/real", "postgres/real"],
    ["docker.io/library/redis", "redis/real", "redis/real"],
    ["docker.io/library/caddy", "caddy/real", "caddy/real"],
    ["docker.n8n.io/n8nio/n8n", "n8n/fake", "n8n/real"],
    ["docker.io/n8nio/n8n", "n8n/fake", "n8n/real"],
  ])("of %s is %s, in full %s", (repository, byDefault, full) => {
    expect([choose(repository, false), choose(repository, true)]).toEqual([byDefault, full]);
  });

  test("that is lacking is an error that names every such repository and where to add it", () => {
    const pins = ["docker.io/library/redis", "quay.io/a/b", "ghcr.io/c/d"].map((name) =>
      parsePin(`${name}:1@${digest}`),
    );
    const known = [...new Set(recipes.flatMap(({ repositories }) => repositories))].toSorted().join(", ");
    const block = (name: string) =>
      [
        `image: ${name} (the sandbox has no recipe for it)`,
        `  allowed: ${known}`,
        "  do: add a recipe in sandbox/images/ and list it in sandbox/images/recipes.ts",
      ].join("\n");
    expect(() => chooseRecipes(pins, false)).toThrow(`${block("quay.io/a/b")}\n${block("ghcr.io/c/d")}`);
  });

  test("has a key of its own", async () => {
    const keys = await Promise.all(recipes.map(recipeKey));
    expect(new Set(keys).size).toBe(recipes.length);
  });
});

test.each([
  ["18.6-bookworm", 18, 999, "/var/lib/postgresql/18/docker", "/var/lib/postgresql"],
  ["0.8.7-pg18-bookworm", 18, 999, "/var/lib/postgresql/18/docker", "/var/lib/postgresql"],
  ["17.11-bookworm", 17, 999, "/var/lib/postgresql/data", "/var/lib/postgresql/data"],
  ["18.6-alpine", 18, 70, "/var/lib/postgresql/18/docker", "/var/lib/postgresql"],
])("PostgreSQL %s: version %i, uid %i, data in %s, volume at %s", (tag, major, uid, data, volume) => {
  expect(layout(tag)).toEqual({ major, uid, data, volume });
});

describe("a fake's recipe", () => {
  const fakes = recipes.filter(({ kind }) => kind === "fake").map((recipe) => [recipe.name, recipe] as const);

  // The program is built anew when these change, and only then: one that is missing would leave an old one in use.
  test.each(fakes)("of %s names the packages that its program imports, and the module's pins", async (_, recipe) => {
    const module = join(recipe.folder, "..");
    const imported = async (folder: string): Promise<string[]> => {
      const files = (await filesOf(join(module, folder))).filter((file) => /(?<!_test)\.go$/.test(file));
      const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
      const found = texts.flatMap((text) => [...text.matchAll(/"vpai\.sandbox\/fakes\/(\w+)"/g)]);
      const direct = [...new Set(found.map(([, name = ""]) => name))];
      return [...direct, ...(await Promise.all(direct.map(imported))).flat()];
    };
    const wanted = new Set([...(await imported(recipe.name)), "go.mod", "go.sum"]);
    expect((recipe.more ?? []).map((path) => relative(module, path)).sort()).toEqual([...wanted].sort());
  });
});
