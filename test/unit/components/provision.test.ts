import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, expect, test } from "@jest/globals";
import type { HttpStep, ProvisionPlan } from "../../../components/service/model/provision.ts";

const SCRIPT = join(__dirname, "../../../files/host/provision.py");
const PASSWORD = "the-password-of-this-test";
const scratch = mkdtempSync(join(tmpdir(), "vpai-provision-"));
let server: Server;
/** What the service answers, request by request; the last one for ever. */
let answers: { status: number; body: unknown }[];
let asked: string[];

beforeAll(async () => {
  // A stand-in for the client alone: where the container is, is all that the script asks of Docker.
  writeFileSync(join(scratch, "docker"), '#!/bin/sh\necho "${FAKE_ADDRESS- 127.0.0.1 }"\n');
  chmodSync(join(scratch, "docker"), 0o755);
  server = createServer((request, response) => {
    void text(request).then((body) => {
      asked.push([request.method, request.url, body].filter(Boolean).join(" "));
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      response.writeHead(answer?.status ?? 500).end(JSON.stringify(answer?.body));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => {
  asked = [];
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

const step: HttpStep = {
  name: "collection x",
  probe: { method: "GET", path: "/collections/x", headers: { "api-key": PASSWORD } },
  satisfiedBy: { status: 200, json: { result: { size: 3 } } },
  apply: [
    { method: "PUT", path: "/collections/x", json: { size: 3, password: PASSWORD }, when: { status: 404 }, ok: [200] },
  ],
};

async function run(
  steps: readonly HttpStep[],
  script: { status: number; body?: unknown }[],
  env: Record<string, string> = {},
): Promise<{ code: number; out: string; err: string }> {
  answers = script.map(({ status, body }) => ({ status, body: body ?? {} }));
  asked = [];
  const { port } = server.address() as { port: number };
  const plan: ProvisionPlan = { container: "qdrant", port, deadlineSeconds: 10, steps };
  const child = spawn("python3", [SCRIPT], {
    env: { ...process.env, PATH: `${scratch}:${process.env["PATH"]}`, ...env },
  });
  const ended = once(child, "close") as Promise<[number]>;
  child.stdin.end(JSON.stringify(plan));
  const [out, err, [code]] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { code, out: out.trim(), err: err.trim() };
}

const is = { status: 200, body: { result: { size: 3, more: true }, time: 1 } };

test("what is so already is left alone", async () => {
  expect(await run([step], [is])).toEqual({ code: 0, out: '{"changed": []}', err: "" });
  expect(asked).toEqual(["GET /collections/x"]);
});

test("one of several states may be enough, and nothing but one of them", async () => {
  const either = {
    ...step,
    satisfiedBy: [
      { status: 200, json: { result: { size: 4 } } },
      { status: 401, json: { code: 998 } },
    ],
  };
  expect(await run([either], [{ status: 401, body: { code: 998 } }])).toMatchObject({
    code: 0,
    out: '{"changed": []}',
  });
  expect(await run([either], [{ status: 401, body: { code: 401 } }])).toMatchObject({ code: 1 });
});

test("what is not so is made so, and read back", async () => {
  const { code, out } = await run([step], [{ status: 404 }, { status: 200 }, is]);
  expect([code, out]).toEqual([0, '{"changed": ["collection x"]}']);
  expect(asked).toEqual([
    "GET /collections/x",
    `PUT /collections/x {"size": 3, "password": "${PASSWORD}"}`,
    "GET /collections/x",
  ]);
});

test("a service that is still starting is asked again", async () => {
  expect((await run([step], [{ status: 503 }, { status: 429 }, is])).code).toBe(0);
});

test.each([
  [
    "set, and not so afterwards",
    [{ status: 404 }, { status: 200 }, { status: 404 }],
    "provision: qdrant: collection x: verification failed after apply: 404 {}",
  ],
  [
    "refused, with the secret taken out of the answer",
    [{ status: 404 }, { status: 400, body: { error: `bad ${PASSWORD}` } }],
    'provision: qdrant: collection x: refused: 400 {"error":"bad ***"}\n  before: 404 {}',
  ],
  [
    "in a state that nobody foresaw",
    [{ status: 200, body: { result: { size: 4 } } }],
    'provision: qdrant: collection x: unexpected state, no transition defined: 200 {"result":{"size":4}}',
  ],
])("%s: it fails, and says so", async (_name, script, message) => {
  expect(await run([step], script)).toEqual({ code: 1, out: "", err: message });
});

test("a container that does not run", async () => {
  const { code, err } = await run([step], [is], { FAKE_ADDRESS: "" });
  expect([code, err]).toEqual([1, "provision: qdrant has no address: it is not running"]);
});

test("lists count, numbers are equal however written, and true is no number", async () => {
  const json = (found: unknown, wanted: unknown) =>
    run([{ ...step, satisfiedBy: { status: 200, json: wanted }, apply: [] }], [{ status: 200, body: found }]);
  expect((await json({ a: [1, { b: 5 }] }, { a: [1.0, { b: 5.0 }] })).code).toBe(0);
  expect((await json({ a: [1, 2] }, { a: [1] })).code).toBe(1);
  expect((await json({ a: 1 }, { a: true })).code).toBe(1);
});
