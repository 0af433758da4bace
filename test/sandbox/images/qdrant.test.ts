import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";

const pin = `docker.io/qdrant/qdrant:v1.19.2@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp"];
const config = `storage: { storage_path: /qdrant/storage, snapshots_path: /qdrant/snapshots }
service: { metrics_prefix: qdrant_, api_key: Write-key-of-this-test, read_only_api_key: Read-key-of-this-test }
telemetry_disabled: true
`;
const write = { "api-key": "Write-key-of-this-test" };
const read = { authorization: "Bearer Read-key-of-this-test" };
let bench: Bench;
let container: string;

beforeAll(async () => {
  bench = await openBench([pin]);
  const mounts = [`${await bench.file("qdrant.yaml", config, 1000)}:/etc/qdrant.yaml:ro`];
  for (const name of ["storage", "snapshots"]) {
    await mkdir(join(bench.home, name));
    await chown(join(bench.home, name), 1000, 1000);
    mounts.push(`${join(bench.home, name)}:/qdrant/${name}`);
  }
  const options = [...locked, "--user", "1000:1000", "--env", "QDRANT_INIT_FILE_PATH=/tmp/initialized"];
  const command = ["./entrypoint.sh", "--config-path", "/etc/qdrant.yaml"];
  container = await bench.start("qdrant", pin, [...options, ...mounts.flatMap((each) => ["-v", each])], command);
  await untilReady();
}, 300_000);
afterAll(() => bench.clear(), 120_000);

/** By bash, as nothing else in the image speaks to a socket (P13). */
const untilReady = (): Promise<string> =>
  untilExec(
    container,
    ...[
      "bash",
      "-c",
      "exec 3<>/dev/tcp/127.0.0.1/6333; printf 'GET /readyz HTTP/1.0\\r\\n\\r\\n' >&3; grep -q ready <&3",
    ],
  );

async function ask(
  method: string,
  path: string,
  json?: unknown,
  headers: Record<string, string> = write,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`http://${await bench.address(container)}:6333${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

const points = [
  { id: 1, vector: [1, 0, 0], payload: { text: "north", metadata: { source: "a" } } },
  { id: 2, vector: [0, 2, 0], payload: { text: "east", metadata: { source: "b" } } },
  { id: "5c56c793-69f3-4fbf-87e6-c4bf54c28c26", vector: [3, 3, 0], payload: { text: "between" } },
];
const make = async (name: string, distance = "Cosine"): Promise<void> => {
  expect(await ask("PUT", `/collections/${name}`, { vectors: { size: 3, distance } })).toMatchObject({
    status: 200,
    body: { result: true, status: "ok" },
  });
  expect(await ask("PUT", `/collections/${name}/points?wait=true`, { points })).toMatchObject({
    status: 200,
    body: { result: { status: "completed" } },
  });
};

describe("who may do what", () => {
  test("is ready without a key, and anything else wants one", async () => {
    expect(await ask("GET", "/readyz", undefined, {})).toEqual({ status: 200, body: "all shards are ready" });
    expect(await ask("GET", "/collections", undefined, {})).toMatchObject({
      status: 401,
      body: expect.stringContaining("Must provide an API key"),
    });
    expect(await ask("GET", "/collections", undefined, { "api-key": "wrong" })).toMatchObject({
      status: 401,
      body: expect.stringContaining("Invalid API key"),
    });
  });

  test("the read-only key reads and searches, tells metrics, and changes nothing", async () => {
    await make("guarded");
    const asked = (method: string, path: string, json?: unknown) => ask(method, path, json, read);
    expect(await asked("POST", "/collections/guarded/points/count", {})).toMatchObject({
      body: { result: { count: 3 } },
    });
    expect((await asked("GET", "/metrics")).body).toMatch(/^qdrant_collection_points\{id="guarded"\} 3$/m);
    for (const [method, path, json] of [
      ["PUT", "/collections/other", { vectors: { size: 3, distance: "Dot" } }],
      ["PUT", "/collections/guarded/points", { points }],
      ["POST", "/collections/guarded/points/delete", { points: [1] }],
      ["POST", "/collections/guarded/snapshots", undefined],
      ["DELETE", "/collections/guarded", undefined],
    ] as const) {
      expect([path, (await asked(method, path, json)).status]).toEqual([path, 403]);
    }
    expect((await ask("DELETE", "/collections/guarded")).status).toBe(200);
  });
});

describe("points", () => {
  beforeAll(() => make("places"));

  test("are found by nearness, with what was asked of them", async () => {
    const found = await ask("POST", "/collections/places/points/query", {
      query: [1, 0.1, 0],
      limit: 2,
      with_payload: ["text"],
    });
    expect(found.body).toMatchObject({
      result: {
        points: [
          { id: 1, payload: { text: "north" }, score: expect.closeTo(0.995, 3) },
          { id: "5c56c793-69f3-4fbf-87e6-c4bf54c28c26", payload: { text: "between" } },
        ],
      },
    });
    const { body } = await ask("POST", "/collections/places/points/search", { vector: [0, 1, 0], limit: 1 });
    expect(body).toMatchObject({ result: [{ id: 2, score: 1 }] });
    expect(JSON.stringify(body)).not.toContain("payload");
  });

  test("like another are found without it", async () => {
    expect((await ask("POST", "/collections/places/points/query", { query: 1, limit: 1 })).body).toMatchObject({
      result: { points: [{ id: "5c56c793-69f3-4fbf-87e6-c4bf54c28c26" }] },
    });
  });

  test("are counted, scrolled and filtered", async () => {
    const filter = { must: [{ key: "metadata.source", match: { any: ["b", "c"] } }] };
    expect((await ask("POST", "/collections/places/points/count", { filter })).body).toMatchObject({
      result: { count: 1 },
    });
    const without = { must_not: { key: "metadata.source", match: { value: "b" } } };
    expect((await ask("POST", "/collections/places/points/scroll", { filter: without, limit: 1 })).body).toMatchObject({
      result: { points: [{ id: 1 }], next_page_offset: "5c56c793-69f3-4fbf-87e6-c4bf54c28c26" },
    });
  });

  test.each([
    ["PUT", "", { points: [{ id: 1, vector: [1, 0] }] }, 400, "Vector dimension error: expected dim: 3, got 2"],
    ["PUT", "", { points: [{ id: "one", vector: [1, 0, 0] }] }, 400, "not a valid point ID"],
    ["POST", "/search", { vektor: [1, 0, 0] }, 400, "unknown field"],
    ["POST", "/facet", {}, 404, "the sandbox's fake of Qdrant does not do this"],
  ])("refuses %s %s %j", async (method, path, json, status, message) => {
    const answer = await ask(method, `/collections/places/points${path}`, json);
    expect([answer.status, JSON.stringify(answer.body)]).toEqual([status, expect.stringContaining(message)]);
  });

  test("are there after a restart", async () => {
    await docker("restart", container);
    await untilReady();
    expect((await ask("POST", "/collections/places/points/count", { exact: true })).body).toMatchObject({
      result: { count: 3 },
    });
    expect(await ask("GET", "/collections/places")).toMatchObject({
      body: { result: { config: { params: { vectors: { size: 3, distance: "Cosine" } } } } },
    });
  });
});

describe("snapshots", () => {
  test("are made, listed, fetched, recovered from, and deleted", async () => {
    await make("copied", "Dot");
    const made = await ask("POST", "/collections/copied/snapshots");
    const { name } = (made.body as { result: { name: string } }).result;
    expect((await ask("GET", "/collections/copied/snapshots")).body).toMatchObject({ result: [{ name }] });
    expect((await ask("GET", `/collections/copied/snapshots/${name}`)).body).toContain("fake.json");
    await ask("POST", "/collections/copied/points/delete", { points: [1, 2] });
    const location = `file:///qdrant/snapshots/copied/${name}`;
    expect((await ask("PUT", "/collections/copied/snapshots/recover", { location })).status).toBe(200);
    expect((await ask("POST", "/collections/copied/points/count", {})).body).toMatchObject({ result: { count: 3 } });
    expect((await ask("DELETE", `/collections/copied/snapshots/${name}`)).status).toBe(200);
    expect((await ask("GET", "/collections/copied/snapshots")).body).toMatchObject({ result: [] });
  });

  test("from elsewhere than their directory are refused", async () => {
    const location = "file:///etc/qdrant.yaml";
    expect(await ask("PUT", "/collections/copied/snapshots/recover", { location })).toMatchObject({ status: 403 });
  });
});

test("serves everybody when it does not find its file, as Qdrant does", async () => {
  const open = await bench.start("open", pin, [], ["./entrypoint.sh", "--config-path", "/nothing.yaml"]);
  const url = `http://${await bench.address(open)}:6333/collections`;
  await until("an answer", 15_000, async () => ((await fetch(url)).status === 200 ? true : undefined));
  expect(await logs(open)).toContain("Config file via --config-path is not found: /nothing.yaml");
});

test.each([
  [["--env", "QDRANT__SERVICE__API_KEI=x"], [], "QDRANT__SERVICE__API_KEI"],
  [[], ["./entrypoint.sh", "--storage-snapshot", "x"], "this fake takes --config-path alone"],
])("refuses %j %j by name", async (options, command, message) => {
  const { code, output } = await bench.once(pin, options, command);
  expect([code, output]).toEqual([1, expect.stringContaining(message)]);
});

test("refuses a configuration with a key that it does not know", async () => {
  const file = await bench.file("odd.yaml", "service:\n  api_kei: x\n", 0, 0o444);
  const { code, output } = await bench.once(
    pin,
    ["--volume", `${file}:/odd.yaml:ro`],
    ["./entrypoint.sh", "--config-path", "/odd.yaml"],
  );
  expect([code, output]).toEqual([1, expect.stringContaining("field api_kei not found")]);
});
