import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parseImageRef } from "../../../shared/image-ref.ts";
import { layout } from "../../../sandbox/images/postgres/recipe.ts";
import { chooseRecipes } from "../../../sandbox/images/publish.ts";
import { recipeKey } from "../../../sandbox/images/recipe.ts";
import { recipes } from "../../../sandbox/images/recipes.ts";
import { filesOf } from "../../../toolchain/cache.ts";

const digest = `sha256:${"a1".repeat(32)}`;

describe("the recipe", () => {
  const choose = (repository: string) => {
    const [choice] = chooseRecipes([parseImageRef(`${repository}:1@${digest}`)]);
    return choice && `${choice.recipe.name}/${choice.recipe.kind}`;
  };

  test.each([
    ["docker.io/library/postgres", "postgres/real"],
    ["docker.io/pgvector/pgvector", "postgres/real"],
    ["docker.io/library/redis", "redis/real"],
    ["docker.io/library/caddy", "caddy/real"],
    ["docker.n8n.io/n8nio/n8n", "n8n/real"],
    ["docker.io/n8nio/n8n", "n8n/real"],
    ["ghcr.io/openclaw/openclaw", "openclaw/real"],
    ["ghcr.io/berriai/litellm", "litellm/real"],
    ["docker.io/grafana/loki", "loki/fake"],
  ])("of %s is %s", (repository, recipe) => {
    expect(choose(repository)).toBe(recipe);
  });

  test("that is lacking is an error that names every such repository and where to add it", () => {
    const pins = ["docker.io/library/redis", "quay.io/a/b", "ghcr.io/c/d"].map((name) =>
      parseImageRef(`${name}:1@${digest}`),
    );
    const known = [...new Set(recipes.flatMap(({ repositories }) => repositories))].toSorted().join(", ");
    const block = (name: string) =>
      [
        `image: ${name} (the sandbox has no recipe for it)`,
        `  allowed: ${known}`,
        "  do: add a recipe in sandbox/images/ and list it in sandbox/images/recipes.ts",
      ].join("\n");
    expect(() => chooseRecipes(pins)).toThrow(`${block("quay.io/a/b")}\n${block("ghcr.io/c/d")}`);
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
