import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { CONTAINER_SHARE, memoryMb, OVERCOMMIT, planMemory } from "../../../components/service/plan/memory.ts";
import { catalogue } from "../../../stacks/catalogue.ts";
import { sample } from "../../support/sample.ts";

const SIZES = ["standard", "small"] as const;
const server = (megabytes: number) => ({ name: "cx23", memoryMb: megabytes });

test("a value of both sizes, and one of each", () => {
  expect(memoryMb({ memory: { requestMb: 40, limitMb: { standard: 128, small: 96 } } }, "small")).toEqual({
    request: 40,
    limit: 96,
  });
});

describe("requests have to fit nine tenths of the server (P42)", () => {
  test("what fits", () => {
    expect(planMemory([sample], "standard", server(223))).toEqual({
      requestMb: 150,
      limitMb: 200,
      faults: [],
      warnings: [],
    });
    expect(planMemory([sample], "standard", server(167)).faults).toEqual([]);
  });

  test("what does not, with the largest, and without a warning beside it", () => {
    expect(planMemory([sample], "standard", server(166))).toMatchObject({
      faults: [
        {
          key: "vpai:vps",
          found: "1 services request 150 MB (the largest: app 150); cx23 has 166 MB, of which containers may have 149",
          allowed: "requests of 149 MB",
          fix: "choose a larger server, `pulumi config set vpai:size small`, or leave services out (vpai:disabledServices)",
        },
      ],
      warnings: [],
    });
  });

  test("a request beyond its own limit", () => {
    const wrong: ServiceDefinition = { ...sample, memory: { requestMb: 101, limitMb: { standard: 200, small: 100 } } };
    expect(planMemory([wrong], "standard", server(8192)).faults).toEqual([]);
    expect(planMemory([wrong], "small", server(8192)).faults).toMatchObject([
      { key: "service app", found: "requests 101 MB of memory, and its limit is 100 MB" },
    ]);
  });
});

describe("limits may exceed the share by a quarter", () => {
  test("up to it nothing is said", () => {
    expect(planMemory([sample], "standard", server(178)).warnings).toEqual([]);
  });

  test("beyond it the operator is warned", () => {
    expect(planMemory([sample], "standard", server(177))).toMatchObject({
      faults: [],
      warnings: [
        {
          key: "vpai:vps",
          found: "memory limits of 200 MB (the largest: app 200); cx23 has 177 MB, of which containers may have 159",
          allowed: "limits of 198 MB (1.25 times as much); beyond, the kernel may end services under load",
        },
      ],
    });
  });
});

describe.each(SIZES)("the catalogue, %s, on a server of 8 GB", (size) => {
  const more = (count: number): ServiceDefinition[] =>
    Array.from({ length: count }, (_, i) => ({
      ...sample,
      name: `small-${i}`,
      memory: { requestMb: 128, limitMb: 128 },
    }));

  test("fits, without a warning", () => {
    expect(planMemory(catalogue, size, { name: "cx33", memoryMb: 8192 })).toMatchObject({ faults: [], warnings: [] });
  });

  test("has room for three more of 128 MB that take all of it", () => {
    expect(planMemory([...catalogue, ...more(3)], size, { name: "cx33", memoryMb: 8192 })).toMatchObject({
      faults: [],
      warnings: [],
    });
  });
});

describe("docs/memory.md", () => {
  const text = readFileSync(join(import.meta.dirname, "../../../docs/memory.md"), "utf8");
  const rows = text
    .split("\n")
    .filter((line) => /^\| [a-z0-9-]+ +\| +\d/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()))
    .map(([, service = "", request, limit, start, idle, load, source = ""]) => ({
      ...{ service, request, limit, source },
      peaks: [start, idle, load].filter((cell) => cell !== "-").map(Number),
    }));
  const bySize = (kind: "request" | "limit", definition: ServiceDefinition): string =>
    [...new Set(SIZES.map((size) => memoryMb(definition, size)[kind]))].join(" / ");

  test("has a row for each service, with its request and limit", () => {
    const expected = catalogue
      .map((definition) => ({
        service: definition.name,
        request: bySize("request", definition),
        limit: bySize("limit", definition),
      }))
      .toSorted((a, b) => (a.service < b.service ? -1 : 1));
    expect(rows.map(({ service, request, limit }) => ({ service, request, limit }))).toEqual(expected);
  });

  test.each(rows)("$service: nothing that was measured is above the smaller limit, and it has a source", (row) => {
    const smallest = Math.min(...(row.limit ?? "").split(" / ").map(Number));
    expect(row.peaks.filter((peak) => !(peak > 0 && peak <= smallest))).toEqual([]);
    expect(row.source.length).toBeGreaterThan(10);
  });

  test("names the share and the factor", () => {
    expect(text).toContain(`${CONTAINER_SHARE * 100} %`);
    expect(text).toContain(`${OVERCOMMIT} times`);
  });
});
