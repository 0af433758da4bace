import { beforeAll, expect, test } from "@jest/globals";
import { catalogue } from "../../stacks/catalogue.ts";
import { readRendered, type Rendered, renderedServices, renderServices, writeRendered } from "../support/rendered.ts";

// test/rendered shows what each service gets on its host, as text to review. `npm run test:unit -- --write` rewrites it.

let now: Readonly<Record<string, Rendered>>;

beforeAll(async () => {
  now = await renderServices();
  if (process.env["VPAI_WRITE_RENDERED"] === "1") writeRendered(now);
});

test.each(catalogue.map(({ name }) => name))("%s is rendered as in test/rendered", (name) => {
  expect(now[name]).toEqual(readRendered(name));
});

test("there is no fixture of a service that the catalogue does not have", () => {
  expect(renderedServices()).toEqual(catalogue.map(({ name }) => name).toSorted());
});
