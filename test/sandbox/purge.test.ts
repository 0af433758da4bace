import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { type Bench, docker, openBench, pins, untilExec } from "./images/container-harness.ts";

// The script that `vpai purge` runs on the server, on a tree of its own, with a real PostgreSQL and the real Docker.

const SCRIPT = join(__dirname, "../../files/host/purge.py");
let bench: Bench;
let database: string;
let home: string;

beforeAll(async () => {
  bench = await openBench([pins.postgres]);
  const password = await bench.file("password", "secret-of-the-test", 999);
  // With an init, as on the server: else the client that is cut off below would end as PostgreSQL's own child.
  database = await bench.start("db", pins.postgres, [
    "--init",
    "-e",
    "POSTGRES_PASSWORD_FILE=/run/password",
    "-v",
    `${password}:/run/password:ro`,
  ]);
  await untilExec(database, "pg_isready", "--username", "postgres", "--host", "127.0.0.1");
}, 600_000);
afterAll(() => bench.clear(), 60_000);

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "vpai-purge-"));
  for (const place of ["data/n8n/files", "data/redis", "config/n8n"]) mkdirSync(join(home, place), { recursive: true });
  writeFileSync(join(home, "data/n8n/files/a"), "a".repeat(5_000));
  writeFileSync(join(home, "permanent.json"), '{"n8n-key": "1", "n8n-other-key": "2", "redis-key": "3"}');
  // The server calls its PostgreSQL by that name; here it is the bench's.
  const wrapper = join(home, "docker");
  const lines = [
    "#!/bin/bash",
    "args=()",
    `for arg; do [ "$arg" != postgresql ] || arg=${database}; args+=("$arg"); done`,
    'PATH=$REAL_PATH exec docker "${args[@]}"',
  ];
  writeFileSync(wrapper, `${lines.join("\n")}\n`);
  chmodSync(wrapper, 0o755);
});
afterEach(() => rmSync(home, { recursive: true }));

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function purge(mode: "look" | "remove", more: object = {}): Ended {
  const plan = { mode, service: "n8n", database: null, keep: ["n8n-other-key"], ...more };
  return spawnSync("python3", [SCRIPT, JSON.stringify(plan)], {
    env: {
      ...process.env,
      REAL_PATH: process.env["PATH"],
      PATH: [home, process.env["PATH"]].join(delimiter),
      VPAI_ROOT: home,
      VPAI_PERMANENT: join(home, "permanent.json"),
    },
    encoding: "utf8",
    timeout: 60_000,
  });
}

const sql = (text: string): Promise<string> =>
  bench.exec(database, "psql", "--username", "postgres", "-Atc", text, "postgres");
const permanent = (): unknown => JSON.parse(readFileSync(join(home, "permanent.json"), "utf8"));

describe("files", () => {
  test("are shown first, and nothing changes", () => {
    const { status, stdout } = purge("look");
    expect(status).toBe(0);
    expect(stdout.replaceAll(home, "").replaceAll(/ *[\d.]+K /g, "")).toBe(
      " /data/n8n\n /config/n8n\nfingerprint of the secret n8n-key\n",
    );
    expect(existsSync(join(home, "data/n8n/files/a"))).toBe(true);
  });

  test("go, with the fingerprints of the service's own secrets; what is another's stays", () => {
    expect(purge("remove")).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(["data/n8n", "config/n8n", "data/redis"].map((place) => existsSync(join(home, place)))).toEqual([
      false,
      false,
      true,
    ]);
    expect(permanent()).toEqual({ "n8n-other-key": "2", "redis-key": "3" });
    expect(purge("look")).toMatchObject({ status: 0, stdout: "\n" });
    expect(purge("remove").status).toBe(0);
  });

  test("behind a symbolic link stay: only the link goes", () => {
    rmSync(join(home, "data/n8n"), { recursive: true });
    writeFileSync(join(home, "data/redis/a"), "");
    symlinkSync(join(home, "data/redis"), join(home, "data/n8n"));
    expect(purge("remove").status).toBe(0);
    expect(existsSync(join(home, "data/redis/a"))).toBe(true);
  });

  test("that a container mounts, whatever its name and whether it runs, stay", async () => {
    const name = `vpai-purge-${process.pid}`;
    await docker("create", "--name", name, "-v", `${home}/data/n8n/files:/x`, bench.image(pins.postgres));
    const ended = purge("remove");
    await docker("rm", name);
    expect(ended).toMatchObject({ status: 1, stderr: `in use by container ${name}\n` });
    expect(existsSync(join(home, "data/n8n/files/a"))).toBe(true);
  });
});

describe("a database", () => {
  test("goes with its role, though somebody is connected; another's stays", async () => {
    for (const name of ["n8n", "other"]) {
      await sql(`CREATE ROLE ${name} LOGIN`);
      await sql(`CREATE DATABASE ${name} OWNER ${name}`);
    }
    await bench.exec(database, "bash", "-c", "psql -U postgres -d n8n -c 'select pg_sleep(600)' > /dev/null 2>&1 &");
    expect(purge("look", { database: "n8n" }).stdout).toMatch(/ kB {2}database n8n\nrole n8n\n$/);
    expect(purge("remove", { database: "n8n" })).toMatchObject({ status: 0, stderr: "" });
    expect(await sql("select datname from pg_database where datname in ('n8n', 'other')")).toBe("other");
    expect(await sql("select rolname from pg_roles where rolname in ('n8n', 'other')")).toBe("other");
    expect(purge("remove", { database: "n8n" }).status).toBe(0);
  });

  test("that belongs to another role, or a role that is a superuser, was made for no service and stays", async () => {
    await sql("CREATE DATABASE ours");
    await sql("CREATE ROLE boss SUPERUSER");
    expect(purge("remove", { database: "ours" }).stderr).toBe(
      "database ours belongs to role postgres: it was made for no service\n",
    );
    expect(purge("remove", { database: "boss" }).stderr).toBe("role boss is a superuser: it was made for no service\n");
    expect(existsSync(join(home, "data/n8n"))).toBe(true);
  });

  test("that cannot be asked for leaves everything as it is", async () => {
    await docker("stop", "-t", "1", database);
    const ended = purge("remove", { database: "n8n" });
    await docker("start", database);
    expect(ended.status).toBe(1);
    expect(ended.stderr).toMatch(/is not running/);
    expect(existsSync(join(home, "data/n8n"))).toBe(true);
  });
});

test.each([
  [{ service: "../n8n" }, "not a service's name: ../n8n"],
  [{ database: `n8n"; --` }, `not a database's name: n8n"; --`],
])("%j is refused", (more, message) => {
  expect(purge("remove", more)).toMatchObject({ status: 1, stderr: `${message}\n` });
});
