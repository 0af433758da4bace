import { expect, test } from "@jest/globals";
import type { Actual } from "../../../../ops/drift/actual.ts";
import { compare } from "../../../../ops/drift/compare.ts";
import { statusDrift } from "../../../../ops/drift/server-status.ts";
import { type Decision, decide } from "../../../../ops/fast-path/decide.ts";
import { clean, expected, withAnswer, withContainer, withDocker, withLines, withPath } from "../drift/sample.ts";

const stopped = { status: "exited", health: "unhealthy" };
const engine: Decision = { kind: "engine" };
const start = (...services: string[]): Decision => ({
  kind: "start",
  containers: expected.containers.flatMap(({ name, id }) =>
    services.includes(name) ? [{ id, service: name, seconds: 300 }] : [],
  ),
});

test.each<[what: string, actual: Actual, decision: Decision]>([
  ["no difference", clean, { kind: "up to date" }],
  ["a container that is only stopped", withContainer("app", stopped), start("app")],
  [
    "two of them",
    withDocker(({ containers }) => ({
      containers: containers.map((each) => (each.name === "edge" ? each : { ...each, ...stopped })),
    })),
    start("app", "db"),
  ],
  ["one that was never started", withContainer("db", { status: "created" }), start("db")],
  ["one that is stopped and has another limit", withContainer("app", { ...stopped, memory: 1 }), engine],
  ["one that is paused", withContainer("app", { status: "paused" }), engine],
  ["one that restarts again and again", withContainer("app", { status: "restarting" }), engine],
  ["one that is unhealthy", withContainer("app", { health: "unhealthy" }), engine],
  ["a container of another id", withContainer("app", { id: "f".repeat(64) }), engine],
  ["a removed one", withDocker(({ containers }) => ({ containers: containers.slice(1) })), engine],
  ["an edited file", withPath("/opt/vpai/config/app/secrets/key", { sha256: "0" }), engine],
  ["lost data", withPath("/opt/vpai/data/db", null), engine],
  ["a role that may more", withLines("db", ["role app|login, superuser", "database app|owner app"]), engine],
  ["a key that is not there", withAnswer(0, 404, {}), engine],
  [
    "a port that another program opened",
    { ...clean, listening: [...clean.listening, { port: 1, process: "x" }] },
    engine,
  ],
  ["Docker does not answer", { ...clean, docker: { error: "down" } }, engine],
])("%s", (_what, actual, decision) => {
  expect(decide(compare(expected, actual), expected)).toEqual(decision);
});

test.each<[status: string | undefined, decision: Decision]>([
  ["off", { kind: "power on" }],
  ["migrating", engine],
  [undefined, engine],
])("a server that its provider calls %s", (status, decision) => {
  const drift = statusDrift({ name: "vpai-prod", id: "42" }, status, "prod");
  expect(decide(drift ? [drift] : [], expected)).toEqual(decision);
});
