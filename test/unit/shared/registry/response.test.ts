import { describe, expect, test } from "@jest/globals";
import { nextPage } from "../../../../shared/registry/response.ts";

describe("the next page of a list", () => {
  const page = new URL("https://registry.example.com/v2/a/tags/list?n=2");
  test.each([
    ["relative", '</v2/a/tags/list?n=2&last=b>; rel="next"', "https://registry.example.com/v2/a/tags/list?n=2&last=b"],
    ["absolute", '<https://registry.example.com/x>; rel="next"', "https://registry.example.com/x"],
    ["without quotes", "</x>; rel=next", "https://registry.example.com/x"],
    ["among others", '</first>; rel="first", </x>; rel="next"', "https://registry.example.com/x"],
    ["elsewhere", '<https://elsewhere.example.com/x>; rel="next"', undefined],
    ["of another relation", '</x>; rel="prev"', undefined],
    ["not told", undefined, undefined],
  ])("%s", (_name, link, expected) => {
    expect(nextPage(link, page)?.href).toBe(expected);
  });
});
