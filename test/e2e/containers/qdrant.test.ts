import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { qdrant } from "../../../components/services/qdrant/service.ts";
import { revealFrom } from "../../../components/service/plan/secrets.ts";
import { testContext } from "../../support/context.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { openBench } from "../../sandbox/images/container-harness.ts";
import { dockerRunArgs, startAsDefined } from "./docker-run-args.ts";

const secrets = { "qdrant-api-key": "Write-key-of-this-test", "qdrant-read-key": "Read-key-of-this-test" };
const collection = { service: "n8n", name: "Über uns", dimensions: 3, distance: "Cosine" } as const;
const context = testContext();
const withCollection = (dimensions: number): typeof context => ({
  ...context,
  requirements: { ...context.requirements, collections: [{ ...collection, dimensions }] },
});
const item = "items" in qdrant.backup ? qdrant.backup.items[0] : undefined;
let bench: Bench;
let container: string;

beforeAll(async () => {
  bench = await openBench([qdrant.image.pin]);
  container = await startAsDefined(bench, qdrant, { context, secrets });
}, 300_000);
afterAll(() => bench.clear(), 120_000);

async function ask(method: string, path: string, json: unknown): Promise<unknown> {
  const response = await fetch(`http://${await bench.address(container)}:6333${path}`, {
    method,
    headers: { "api-key": secrets["qdrant-api-key"], "content-type": "application/json" },
    body: JSON.stringify(json),
  });
  return response.json();
}
const points = `/collections/${encodeURIComponent(collection.name)}/points`;
const put = (...ids: number[]): Promise<unknown> =>
  ask("PUT", `${points}?wait=true`, { points: ids.map((id) => ({ id, vector: [id, 1, 0], payload: {} })) });

/** Runs a command of the host; answers what it printed. */
async function onHost(argv: readonly string[], stdin: Buffer | string = ""): Promise<Buffer> {
  const [program = "", ...words] = argv;
  const child = spawn(program, words, { stdio: "pipe" });
  const ended = once(child, "close") as Promise<[number]>;
  child.stdin.end(stdin);
  const [out, err, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  if (code !== 0) throw new Error(err.toString().trim());
  return out;
}
/** A command of the definition, with the name that the container has here. */
const here = (argv: readonly string[] = []): string[] => argv.map((word) => (word === "qdrant" ? container : word));

/** What the host's script does with the definition's steps. */
async function provision(dimensions: number): Promise<string> {
  const steps = qdrant.provision?.steps(withCollection(dimensions), revealFrom(secrets));
  const plan = { container, port: qdrant.provision?.port, deadlineSeconds: 20, steps };
  return String(await onHost(["python3", join(__dirname, "../../../files/host/provision.py")], JSON.stringify(plan)));
}

test("the collections that services need are made once, and one of another shape is never replaced", async () => {
  expect(await provision(3)).toBe('{"changed": ["collection \\u00dcber uns for n8n"]}\n');
  await put(1, 2);
  expect(await provision(3)).toBe('{"changed": []}\n');
  await expect(provision(4)).rejects.toThrow("unexpected state, no transition defined");
  expect(await ask("POST", `${points}/count`, {})).toMatchObject({ result: { count: 2 } });
});

test("its smoke checks print what they should", async () => {
  for (const check of qdrant.smoke) {
    if (!("exec" in check)) throw new Error("asked from outside");
    expect(await bench.exec(container, ...check.exec)).toMatch(check.prints);
  }
});

test("a copy restores what was lost and what was changed, and a search proves it", async () => {
  await put(1, 2, 3);
  await ask("PUT", "/collections/lost", { vectors: { size: 2, distance: "Dot" } });
  const before = String(await onHost(here(item?.verify.argv)));
  expect(before).toBe(`lost 0\n${collection.name} 3\nevery collection answers: 2\n`);
  expect(before).toMatch(item?.verify.expect ?? /^$/);
  const copy = await onHost(here(item?.dump));
  await ask("DELETE", "/collections/lost", undefined);
  await ask("POST", `${points}/delete`, { points: [1, 2] });
  await onHost(here(item?.restore), copy);
  expect(String(await onHost(here(item?.verify.argv)))).toBe(before);
  // P13: copies and what they were unpacked to must not stay behind.
  expect(await bench.exec(container, "find", "/qdrant/snapshots", "-type", "f")).toBe("");
  expect(await bench.exec(container, "find", "/qdrant/snapshots", "-name", "restore-*")).toBe("");
});

test("a copy that is none restores nothing and fails", async () => {
  await expect(onHost(here(item?.restore), "no archive")).rejects.toThrow("tar:");
  expect(await bench.exec(container, "find", "/qdrant/snapshots", "-name", "restore-*")).toBe("");
});

test("it does not start when it cannot read its keys", async () => {
  const { options, command } = await dockerRunArgs(bench, { ...qdrant, name: "blind" }, { context, secrets });
  await chmod(join(bench.home, "blind/config/qdrant.yaml"), 0o000);
  expect(await bench.once(qdrant.image.pin, options, command)).toEqual({
    code: 1,
    output: expect.stringContaining("/etc/vpai/qdrant.yaml cannot be read"),
  });
});
