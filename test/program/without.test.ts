import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { allDependencies } from "../../components/service/plan/order.ts";
import { stackSecrets } from "../../components/service/plan/secrets.ts";
import { DEFAULT_SERVICES as catalogue } from "../support/core.ts";
import type { Recorded } from "../support/mocks.ts";
import { cleanUp, runProgram } from "../support/program.ts";

// What is left of the program when a service is taken out: files and settings of others may name it, and are taken while
// they run. No other container is replaced. What its data was made with stays, because the data does.

const leaves = catalogue.filter(
  ({ name }) => !catalogue.some((other) => allDependencies(other, catalogue).includes(name)),
);
const containers = (resources: readonly Recorded[]): Map<string, string> =>
  new Map(
    resources
      .filter(({ type }) => type === "docker:index/container:Container")
      .map(({ name, inputs }) => [name, JSON.stringify(inputs)]),
  );

const SECRET = "random:index/randomPassword:RandomPassword";

let whole: Map<string, string>;
beforeAll(async () => {
  whole = containers((await runProgram("prod")).resources);
});
afterAll(cleanUp);

describe.each(leaves.map(({ name }) => [name]))("without %s", (name) => {
  test("its container goes, and every other stays as it is; so do its permanent secrets", async () => {
    const { resources } = await runProgram("prod", false, { "vpai:disabledServices": [name] });
    const left = containers(resources);
    const changed = [...whole].filter(([container, inputs]) => left.get(container) !== inputs);
    expect(changed.map(([container]) => container)).toEqual([`${name}-container`]);
    expect(left.size).toBe(whole.size - 1);
    const permanent = Object.entries(stackSecrets(catalogue)).flatMap(([secret, spec]) =>
      spec.permanent ? [`secrets-${secret}`] : [],
    );
    const kept = resources.filter(({ type, options }) => type === SECRET && options.protect === true);
    expect(kept.map(({ name }) => name).toSorted()).toEqual(permanent);
  });
});
