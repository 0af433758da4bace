import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, pins, untilExec } from "./container-harness.ts";

const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--tmpfs", "/tmp"];
const sockets = ["--tmpfs", "/var/run/postgresql:uid=999,gid=999"];
const own = ["--user", "999:999"];
let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pins.postgres]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

const ready = (container: string) => untilExec(container, "pg_isready", "-h", "127.0.0.1");

test("initialises as uid 999, locked down, from files; listens; keeps its data where version 18 keeps it", async () => {
  const password = await bench.file("password", "from a file\n", 999);
  const script = await bench.file("10-app.sql", "create table app (n int); insert into app values (42);", 999);
  const volume = bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "-data");
  const mounts = [
    `${volume}:/var/lib/postgresql`,
    `${password}:/run/password:ro`,
    `${script}:/docker-entrypoint-initdb.d/10-app.sql:ro`,
  ];
  const environment = [
    "POSTGRES_PASSWORD_FILE=/run/password",
    "POSTGRES_USER=root",
    "POSTGRES_DB=app",
    "POSTGRES_INITDB_ARGS=--auth-local=scram-sha-256 --locale-provider=icu --icu-locale=en-US",
  ];
  const options = [
    ...own,
    ...locked,
    ...sockets,
    ...mounts.flatMap((m) => ["-v", m]),
    ...environment.flatMap((e) => ["-e", e]),
  ];
  const container = await bench.start("pg", pins.postgres, options, ["postgres", "-c", "shared_buffers=64MB"]);
  await ready(container);
  const ask = (host: string, sql: string, password = "from a file") =>
    bench.exec(container, "env", `PGPASSWORD=${password}`, "psql", "-h", host, "-U", "root", "-d", "app", "-Atc", sql);
  expect(
    await ask("pg", "select n, current_setting('shared_buffers'), current_setting('listen_addresses') from app"),
  ).toBe("42|64MB|*");
  await expect(ask("pg", "select 1", "wrong")).rejects.toThrow("password authentication failed");
  expect(await ask("pg", "create extension vector; select '[1,2]'::vector <-> '[1,3]'")).toBe("CREATE EXTENSION\n1");
  expect(
    await bench.exec(container, "sh", "-c", "id -u; cat /var/lib/postgresql/18/docker/PG_VERSION; cat /VERSION"),
  ).toBe("999\n17\n18.6-bookworm");
  expect(await bench.exec(container, "sh", "-c", "tr '\\0' '\\n' < /proc/1/environ")).not.toContain("from a file");

  // The second start finds its data and stops in order.
  await docker("restart", container);
  await ready(container);
  expect(await ask("/var/run/postgresql", "select n from app")).toBe("42");
  expect(await logs(container)).toContain("Skipping initialization");
  expect(await logs(container)).toContain("received fast shutdown request");
});

test("started as root, with few capabilities, becomes user postgres", async () => {
  const caps = ["CHOWN", "SETUID", "SETGID", "FOWNER", "DAC_READ_SEARCH"].flatMap((cap) => ["--cap-add", cap]);
  const container = await bench.start("root", pins.postgres, [
    "--cap-drop",
    "ALL",
    ...caps,
    "-e",
    "POSTGRES_PASSWORD=x",
  ]);
  await ready(container);
  expect(await bench.exec(container, "stat", "-c", "%u:%g", "/proc/1", "/var/lib/postgresql/18/docker")).toBe(
    "999:999\n999:999",
  );
});

test("refuses the mount of before version 18", async () => {
  const { code, output } = await bench.once(pins.postgres, [
    "-e",
    "POSTGRES_PASSWORD=x",
    "--tmpfs",
    "/var/lib/postgresql/data",
  ]);
  expect(code).toBe(1);
  expect(output).toContain("wants its volume at /var/lib/postgresql. Found instead: /var/lib/postgresql/data");
});

test.each([
  ["no password", [], "no superuser password is given"],
  ["a password twice", ["-e", "POSTGRES_PASSWORD=x", "-e", "POSTGRES_PASSWORD_FILE=/y"], "are exclusive"],
  ["a password file it cannot read", ["-e", "POSTGRES_PASSWORD_FILE=/y"], "POSTGRES_PASSWORD_FILE: cannot read /y"],
])("refuses to start with %s", async (_, options, message) => {
  const { code, output } = await bench.once(pins.postgres, options);
  expect([code, output]).toEqual([1, expect.stringContaining(message)]);
});

test("runs with a configuration file of the operator's", async () => {
  const config = await bench.file("postgresql.conf", "listen_addresses = '*'\nmax_connections = 17\n", 999);
  const container = await bench.start(
    "configured",
    pins.postgres,
    [...own, "-e", "POSTGRES_PASSWORD=x", "-v", `${config}:/etc/postgresql/postgresql.conf:ro`],
    [
      "postgres",
      "-c",
      "config_file=/etc/postgresql/postgresql.conf",
      "-c",
      "hba_file=/var/lib/postgresql/18/docker/pg_hba.conf",
    ],
  );
  await ready(container);
  const shown = await until("max_connections", 5_000, () =>
    bench.exec(container, "psql", "-U", "postgres", "-Atc", "show max_connections"),
  );
  expect(shown).toBe("17");
});
