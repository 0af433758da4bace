import { describe, expect, test } from "@jest/globals";
import { images } from "../../../../components/images.ts";
import { compareVersions, newerThan, notesOf, versionOf } from "../../../../ops/images/versions.ts";
import { parseImageRef } from "../../../../shared/image-ref.ts";

test.each([
  ["0.8.7-pg18-bookworm", [0, 8, 7]],
  ["v1.93.0-alpine", [1, 93, 0]],
  ["2026.9.9", [2026, 9, 9]],
  ["latest", []],
])("the version in %s is %j", (tag, numbers) => {
  expect(versionOf(tag)).toEqual(numbers);
});

test("versions are ordered as numbers, not as text", () => {
  expect(["1.10.0", "1.9.0", "1.9.10", "1.9", "10.0.0"].toSorted(compareVersions)).toEqual([
    "1.9.0",
    "1.9",
    "1.9.10",
    "1.10.0",
    "10.0.0",
  ]);
});

describe("newer than", () => {
  const semver = String.raw`^\d+\.\d+\.\d+$`;
  test.each<[string, string, string[], string, { same?: string; major?: string }]>([
    ["the only one there is", "1.2.3", ["1.2.3"], semver, {}],
    ["all that there are", "1.2.3", ["1.2.2", "1.1.9", "0.9.0"], semver, {}],
    ["by the last number", "1.2.9", ["1.2.9", "1.2.10"], semver, { same: "1.2.10" }],
    ["of other kinds", "1.2.3", ["1.2.4-alpine", "1.2.5-rc.1", "latest", "nightly"], semver, {}],
    [
      "of its own kind",
      "8.4.0-bookworm",
      ["8.6.1-bookworm", "8.9.0-alpine"],
      String.raw`^[\d.]+-bookworm$`,
      { same: "8.6.1-bookworm" },
    ],
    ["by another major version", "1.2.3", ["2.0.0", "3.1.0"], semver, { major: "3.1.0" }],
    ["by both", "1.2.3", ["1.3.0", "1.4.0", "2.0.0"], semver, { same: "1.4.0", major: "2.0.0" }],
  ])("%s", (_name, current, tags, versions, expected) => {
    expect(newerThan(current, tags, versions)).toEqual(expected);
  });
});

test("the link to the notes has the tag or its version", () => {
  expect(notesOf("https://example.com/{tag}", "v1.2.0-alpine")).toBe("https://example.com/v1.2.0-alpine");
  expect(notesOf("https://example.com/v{version}", "v1.2.0-alpine")).toBe("https://example.com/v1.2.0");
});

describe.each(Object.entries(images))("the pin of %s", (_service, { pin, versions, notes }) => {
  test("is a pin whose tag is of its own kind, and has notes", () => {
    const { tag } = parseImageRef(pin);
    expect(tag).toMatch(new RegExp(versions));
    expect(versionOf(tag).length).toBeGreaterThan(1);
    expect(URL.canParse(notesOf(notes, tag))).toBe(true);
    expect(notesOf(notes, tag)).not.toMatch(/[{}]/);
  });
});
