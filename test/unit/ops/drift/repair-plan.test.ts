import { expect, test } from "@jest/globals";
import type { Actual } from "../../../../ops/drift/actual.ts";
import { renderFindings, serverFindings } from "../../../../ops/doctor/findings.ts";
import { compare } from "../../../../ops/drift/compare.ts";
import type { Drift } from "../../../../ops/drift/drift.ts";
import { planRepair, type RepairPlan } from "../../../../ops/drift/repair-plan.ts";
import { driftReport, renderDrift, renderRepaired } from "../../../../ops/drift/table.ts";
import { clean, expected, withAnswer, withContainer, withDocker, withLines, withNetwork, withPath } from "./sample.ts";

const nothing: RepairPlan = { powerOn: false, bootstrap: false, commands: [], refresh: [], flags: [], lost: [] };
const replace = (...names: string[]): string[] => names.flatMap((name) => ["--replace", `**::${name}`]);
const [A, C, F] = ["a", "c", "f"].map((digit) => digit.repeat(64));
const container = (name: string): string =>
  `urn:pulumi:prod::vpai::docker:index/container:Container::${name}-container`;
const [KEY, EDGE] = ["/opt/vpai/config/app/secrets/key", "/opt/vpai/config/edge"];
const plan = (actual: Actual): RepairPlan => planRepair(compare(expected, actual));

test.each<[drift: string, actual: Actual, plan: Partial<RepairPlan>]>([
  ["nothing", clean, {}],
  [
    "a stopped container is started, and its gate waits",
    withContainer("app", { status: "exited" }),
    { commands: [`docker start ${A}`], flags: replace("app-healthy") },
  ],
  [
    "one that was stopped and taken out of a network is replaced instead",
    withContainer("app", { status: "exited", networks: ["backend"], pids: 7 }),
    { flags: replace("app-container") },
  ],
  [
    "a role and a key are set again by what had set them",
    { ...withAnswer(0, 404, {}), readbacks: withLines("db", ["database app|owner app"]).readbacks },
    { flags: replace("app-database", "app-provisioned") },
  ],
  [
    "a removed one is forgotten by the state, so that the engine makes it",
    withDocker(({ containers }) => ({ containers: containers.filter(({ name }) => name !== "app") })),
    { refresh: [container("app")] },
  ],
  [
    "a namesake goes first",
    withContainer("app", { id: F, memory: 1 }),
    { commands: [`docker stop --time 60 ${F} && docker rm ${F}`], refresh: [container("app")] },
  ],
  [
    "a limit is read by the engine, which then sets it",
    withContainer("app", { restart: "no" }),
    { refresh: [container("app")] },
  ],
  ["an edited secret", withPath(KEY, { sha256: "" }), { flags: replace("app-files", "app-container") }],
  ["a changed mode replaces no container", withPath(KEY, { mode: "0444" }), { flags: replace("app-files") }],
  [
    "a container that sees a removed folder cannot reload",
    { ...withPath(EDGE, null), trees: { ...clean.trees, [EDGE]: [] } },
    { commands: ["docker stop --time 60 edge"], flags: replace("edge-files", "edge-container") },
  ],
  [
    "a network made by hand is emptied and removed, and its containers follow the one that the engine makes",
    withNetwork("frontend", { id: F }),
    {
      commands: [
        "if docker network inspect frontend > /dev/null 2>&1; then " +
          "for each in $(docker network inspect --format '{{range $id, $each := .Containers}}{{$id}} {{end}}' frontend); " +
          'do docker network disconnect --force frontend "$each"; done; docker network rm frontend; fi',
      ],
      refresh: ["urn:pulumi:prod::vpai::docker:index/network:Network::host-network-frontend"],
      flags: replace("edge-container"),
    },
  ],
  ["the bootstrap runs before the rest", withPath("/usr/local/lib/vpai/gate", null), { bootstrap: true }],
  [
    "an open port of another program is left alone",
    { ...clean, listening: [...clean.listening, { port: 8000, process: "nc" }] },
    {},
  ],
  [
    "a port that nothing listens on: its container is restarted",
    { ...clean, listening: clean.listening.slice(1) },
    { commands: [`docker restart ${C}`], flags: replace("edge-healthy") },
  ],
])("%s", (_drift, actual, wanted) => {
  expect(plan(actual)).toEqual({ ...nothing, ...wanted });
});

test("what is lost stops the run", () => {
  expect(plan(withPath("/opt/vpai/data/db", null)).lost).toMatchObject([
    { key: "data /opt/vpai/data/db", found: "not found", allowed: "a folder" },
  ]);
});

test("after power came back every gate waits for its container", () => {
  const off: Drift = { resource: "server vpai-prod", expected: "running", actual: "off", repair: { kind: "power-on" } };
  expect(planRepair([off])).toEqual({ ...nothing, powerOn: true, flags: replace("*-healthy") });
});

const found = compare(expected, {
  ...withContainer("app", { status: "exited" }),
  listening: [...clean.listening, { port: 8000, process: "nc" }],
});

test("the table, and what is left to the operator", () => {
  expect(renderDrift("prod", [])).toBe("no drift: the server of stack prod is as the last run left it\n");
  expect(renderDrift("prod", found)).toBe(`RESOURCE       EXPECTED  ACTUAL
container app  running   exited (exit code 0)
port 8000/tcp  closed    open, by process nc

2 differences
\`vpai up --stack prod\` repairs 1 of them
port 8000/tcp
  do: stop nc, or have it listen on 127.0.0.1
`);
});

test("as JSON, with what `up` does", () => {
  expect(driftReport("prod", found)).toEqual({
    stack: "prod",
    drift: [
      { resource: "container app", expected: "running", actual: "exited (exit code 0)", repair: "started" },
      {
        resource: "port 8000/tcp",
        expected: "closed",
        actual: "open, by process nc",
        repair: "left as it is: stop nc, or have it listen on 127.0.0.1",
      },
    ],
  });
});

test("the doctor's findings", () => {
  expect(renderFindings(serverFindings("prod", []))).toBe(
    "✓ server of prod  as the last run left it\n\nno problems found\n",
  );
  expect(renderFindings(serverFindings("prod", found))).toBe(`✗ container app  exited (exit code 0)
✗ port 8000/tcp  open, by process nc

container app: exited (exit code 0)
  allowed: running
  do: run \`vpai up --stack prod\`
port 8000/tcp: open, by process nc
  allowed: closed
  do: stop nc, or have it listen on 127.0.0.1
`);
});

test("what was repaired", () => {
  expect(renderRepaired(found.slice(0, 1))).toEqual([
    "1 difference repaired:",
    "  container app (exited (exit code 0)): started",
  ]);
});
