import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "@jest/globals";

// What files/host/inspect.py asks of services: the functions themselves, a stand-in for Docker's client alone.

const SCRIPT = readFileSync(join(__dirname, "../../../files/host/inspect.py"), "utf8");
const scratch = mkdtempSync(join(tmpdir(), "vpai-inspect-"));
let server: Server;

beforeAll(async () => {
  // Its last argument is the exit code, after what it was asked for.
  writeFileSync(
    join(scratch, "docker"),
    '#!/bin/sh\necho "$*"\ncat\necho "the reason" >&2\nfor code; do :; done\nexit "$code"\n',
  );
  chmodSync(join(scratch, "docker"), 0o755);
  server = createServer((request, response) => {
    const known = request.url === "/known" && request.headers["api-key"] === "secret";
    response.writeHead(known ? 200 : 404).end(known ? '{"a": {"b": 1, "secret": "x"}, "list": [1, 2]}' : "not JSON");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(() => {
  server.close();
  rmSync(scratch, { recursive: true });
});

/** The JSON that the script prints after these lines. */
async function python(lines: string): Promise<unknown> {
  const child = spawn("python3", ["-I", "-"], { env: { ...process.env, PATH: `${scratch}:${process.env["PATH"]}` } });
  child.stdin.end(`${SCRIPT}\n${lines}\n`);
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
  if (err !== "") throw new Error(err);
  return JSON.parse(out);
}

const ask = (path: string, wanted: unknown, more: object = {}): Promise<unknown> => {
  const { port } = server.address() as { port: number };
  const asked = {
    container: "x",
    port,
    request: { method: "GET", path, headers: { "api-key": "secret" } },
    wanted,
    ...more,
  };
  return python(`print(json.dumps(ask("127.0.0.1", json.loads(${JSON.stringify(JSON.stringify(asked))}))))`);
};

test("of an answer only what is asked for comes back", async () => {
  expect(await ask("/known", [{ a: { b: 5 } }, { list: [] }])).toEqual({
    status: 200,
    json: { a: { b: 1 }, list: [1, 2] },
  });
  expect(await ask("/known", [null])).toEqual({ status: 200, json: {} });
});

test("a refusal, and no answer at all, are answers", async () => {
  expect(await ask("/elsewhere", [{ a: 1 }])).toEqual({ status: 404, json: null });
  expect(await ask("/known", [{ a: 1 }], { port: 1 })).toEqual({ status: 0, json: null });
});

test.each([
  ["0", ""],
  ["3", "the reason"],
])("a command that ends with %s in a container", async (code, error) => {
  const wanted = JSON.stringify({ container: "db", argv: ["psql", code], stdin: "SELECT 1;\n" });
  expect(await python(`print(json.dumps(readback(json.loads(${JSON.stringify(wanted)}))))`)).toEqual({
    container: "db",
    lines: [`exec --interactive db psql ${code}`, "SELECT 1;"],
    error,
  });
});

test.each([
  ["a list", 'ps) echo "the reason" >&2; exit 1;;', "the reason"],
  ["what it lists", 'ps) echo one two; exit 0;; container) echo "[]"; echo "the reason" >&2; exit 1;;', "the reason"],
])("a Docker that does not answer for %s has nothing that may be called missing", async (_what, cases, error) => {
  const silent = join(scratch, "silent");
  mkdirSync(silent, { recursive: true });
  const version = "version) echo 29.0.0; exit 0;;";
  writeFileSync(join(silent, "docker"), `#!/bin/sh\ncase $1 in ${version} ${cases} esac\n`);
  chmodSync(join(silent, "docker"), 0o755);
  const path = JSON.stringify(`${silent}:`);
  expect(await python(`os.environ["PATH"] = ${path} + os.environ["PATH"]\nprint(json.dumps(docker()))`)).toEqual({
    error,
  });
});

test("containers that are not healthy are not asked", async () => {
  const each = (name: string, status: string, health: string) => ({ name, status, health, address: "127.0.0.1" });
  const containers = [
    each("a", "running", "starting"),
    each("b", "exited", "healthy"),
    each("c", "running", "healthy"),
  ];
  const request = {
    readbacks: ["a", "b", "c", "d"].map((container) => ({ container, argv: ["0"], stdin: "" })),
    probes: [{ container: "a", port: 1, request: { method: "GET", path: "/" }, wanted: [] }],
  };
  const lines = [
    `asked, probed = services(json.loads(${JSON.stringify(JSON.stringify(request))}), json.loads(${JSON.stringify(JSON.stringify(containers))}), concurrent.futures.ThreadPoolExecutor(2))`,
    "print(json.dumps([[each and each.result()['container'] for each in asked], probed]))",
  ];
  expect(await python(lines.join("\n"))).toEqual([[null, null, "c", null], [null]]);
});

test("a record is used only where it is the very one", async () => {
  const record = join(scratch, "record.json");
  const text = JSON.stringify({ request: { x: 1 } });
  writeFileSync(record, text);
  const recorded = (path: string, digest: string): Promise<unknown> =>
    python(
      `main = lambda request: print(json.dumps(request))\nmain_recorded(${JSON.stringify(path)}, ${JSON.stringify(digest)})`,
    );
  expect(await recorded(record, createHash("sha256").update(text).digest("hex"))).toEqual({ x: 1 });
  expect(await recorded(record, "0".repeat(64))).toBeNull();
  expect(await recorded(join(scratch, "none"), "0".repeat(64))).toBeNull();
});
