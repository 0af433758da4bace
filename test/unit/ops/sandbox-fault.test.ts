import { expect, test } from "@jest/globals";
import { faultList, parseFault } from "../../../ops/sandbox/commands.ts";

test("a fault with its settings; whole numbers are numbers", () => {
  expect(parseFault("no-capacity", ["serverType=cx33", "times=2"])).toEqual({
    name: "no-capacity",
    serverType: "cx33",
    times: 2,
  });
});

test.each<[string, string, string[], RegExp]>([
  ["a fault that there is not", "no-such", [], /^fault: no-such\n {2}allowed: hetzner-5xx, .*, clear\n/],
  [
    "a server type that nobody sells",
    "no-capacity",
    ["serverType=cx99"],
    /^serverType of fault no-capacity: cx99\n {2}allowed: one of .*cx33/,
  ],
  [
    "a place that there is not",
    "no-capacity",
    ["serverType=cx33", "location=mars"],
    /^location of fault no-capacity: mars\n {2}allowed: one of .*fsn1/,
  ],
  ["a setting that is needed", "hetzner-slow", [], /^ms of fault hetzner-slow: not set\n {2}allowed: milliseconds/],
  ["words for a number", "hetzner-slow", ["ms=soon"], /^ms of fault hetzner-slow: soon\n {2}allowed: milliseconds/],
  [
    "a number that is none",
    "hetzner-5xx",
    ["times=0"],
    /^times of fault hetzner-5xx: 0\n {2}allowed: a whole number from 1\n/,
  ],
  ["another setting", "hetzner-5xx", ["tims=3"], /^fault hetzner-5xx: no setting tims\n {2}allowed: match, times\n/],
  ["no setting at all", "hetzner-5xx", ["3"], /^fault hetzner-5xx: 3\n {2}allowed: key=value\n/],
  [
    "another provider",
    "llm-5xx",
    ["provider=mine"],
    /^provider of fault llm-5xx: mine\n {2}allowed: anthropic, openai\n/,
  ],
])("refused: %s", (_, name, settings, message) => {
  expect(() => parseFault(name, settings)).toThrow(message);
});

test("the list has every fault with its settings, and what is in force", () => {
  const list = faultList([{ name: "no-capacity", serverType: "cx33", times: 2 }]);
  expect(list).toMatch(/^no-capacity\n {2}serverType= +needed: server type that is sold out, such as cx33\n/m);
  expect(list).toMatch(/\nin force:\n {2}no-capacity serverType=cx33 times=2\n$/);
  expect(faultList([])).toMatch(/\nin force: none\n$/);
});
