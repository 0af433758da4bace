import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";

import { isLabelKey, isLabelValue, parseSelector } from "../../../sandbox/hetzner/wire/labels.ts";
import { type Project, startProject } from "./project.ts";

let project: Project;

beforeAll(async () => {
  project = await startProject();
  for (const [index, labels] of [
    { env: "prod" },
    { env: "test", type: "db" },
    {},
    { env: "prod", type: "db" },
    {},
  ].entries()) {
    await project.make("/firewalls", { name: `wall-${index}`, labels });
  }
});

afterAll(() => project.close());

async function names(query: string): Promise<string[]> {
  const { json } = await project.call("GET", `/firewalls${query}`);
  return json.firewalls.map(({ name }: { name: string }) => name.replace("wall-", ""));
}

describe("lists", () => {
  test("come in pages, with what is before and after", async () => {
    const { json, headers } = await project.call("GET", "/firewalls?page=2&per_page=2");
    expect(json.firewalls.map(({ name }: { name: string }) => name)).toEqual(["wall-2", "wall-3"]);
    expect(json.meta.pagination).toEqual({
      page: 2,
      per_page: 2,
      previous_page: 1,
      next_page: 3,
      last_page: 3,
      total_entries: 5,
    });
    expect(headers.get("link")).toContain(`<${project.hetzner.endpoint}/firewalls?page=3&per_page=2>; rel="next"`);
  });

  test("are 25 long by default and say so when empty", async () => {
    const { json } = await project.call("GET", "/networks");
    expect(json).toEqual({
      networks: [],
      meta: {
        pagination: { page: 1, per_page: 25, previous_page: null, next_page: null, last_page: 1, total_entries: 0 },
      },
    });
  });

  test.each([
    ["?name=wall-3", ["3"]],
    ["?name=wall", []],
    ["?label_selector=env%3Dprod", ["0", "3"]],
    ["?label_selector=env%3Dprod%2Ctype!%3Ddb", ["0"]],
    ["?label_selector=env%20in%20(test,prod)%2C!type", ["0"]],
    ["?label_selector=!env", ["2", "4"]],
    ["?sort=name:desc&per_page=2", ["4", "3"]],
  ])("answer %s", async (query, expected) => {
    expect(await names(query)).toEqual(expected);
  });

  test("of images go by architecture and type", async () => {
    const { json } = await project.call(
      "GET",
      "/images?name=debian-12&architecture=x86&type=system&include_deprecated=true",
    );
    expect(json.images).toEqual([
      expect.objectContaining({ name: "debian-12", architecture: "x86", status: "available" }),
    ]);
  });

  test("of server types say where each is available", async () => {
    const { json } = await project.call("GET", "/server_types?name=cx23");
    expect(json.server_types).toEqual([
      expect.objectContaining({
        cores: 2,
        memory: 4,
        disk: 40,
        architecture: "x86",
        locations: ["fsn1", "nbg1", "hel1"].map((name) =>
          expect.objectContaining({ name, available: true, recommended: true, deprecation: null }),
        ),
      }),
    ]);
  });
});

describe("label selectors", () => {
  const labels = { env: "prod", "example.com/tier": "", n: "1" };

  test.each([
    ["env", true],
    ["!env", false],
    ["env=prod", true],
    ["env==prod", true],
    ["env!=prod", false],
    ["other!=prod", true],
    ["env in (a, prod)", true],
    ["env notin (a,prod)", false],
    ["other notin (a)", true],
    ["example.com/tier=", true],
    ["env=prod,n=1", true],
    ["env=prod,n=2", false],
    ["env in (prod,x),n", true],
  ])("%s matches: %p", (text, expected) => {
    expect(parseSelector(text)(labels)).toBe(expected);
  });

  test.each(["", "=v", "a b", "a in b", "a in (b", "a=b c", "-a"])("'%s' is refused", (text) => {
    expect(() => parseSelector(text)).toThrow("label_selector");
  });
});

describe("labels", () => {
  test.each([
    ["a", true],
    ["a".repeat(63), true],
    ["a".repeat(64), false],
    ["a-b_c.d", true],
    ["-a", false],
    ["example.com/a", true],
    ["example.com/", false],
    ["a/b/c", false],
    ["hetzner.cloud/a", false],
  ])("key %s: %p", (key, valid) => {
    expect(isLabelKey(key)).toBe(valid);
  });

  test.each([
    ["", true],
    ["v1.0", true],
    ["a b", false],
    ["a".repeat(64), false],
    [".a", false],
  ])("value '%s': %p", (value, valid) => {
    expect(isLabelValue(value)).toBe(valid);
  });
});
