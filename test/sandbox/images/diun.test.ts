import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench, untilExec } from "./container-harness.ts";
import type { PublicRegistry } from "./public-registry.ts";
import { openPublicRegistry } from "./public-registry.ts";

const pin = `docker.io/crazymax/diun:4.33.0@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--user", "1000:1000"];
const config = `db: { path: /data/diun.db }
watch: { schedule: "0 */6 * * *", firstCheckNotif: false }
regopts: [{ name: ghcr.io, selector: image, timeout: 2s }]
notif: { script: { cmd: sh, args: [-c, 'echo "told of $DIUN_ENTRY_IMAGE: $DIUN_ENTRY_STATUS $DIUN_ENTRY_METADATA_FOO" > /proc/1/fd/1'] } }
providers: { file: { filename: /etc/images.yml } }
`;
const images = `- name: ghcr.io/example/app:1.2.0
  watch_repo: true
  sort_tags: semver
  max_tags: 2
  include_tags: ['^\\d+\\.\\d+\\.\\d+$']
  metadata: { foo: bar }
`;
let bench: Bench;
let registry: PublicRegistry;

beforeAll(async () => {
  bench = await openBench([pin]);
  registry = await openPublicRegistry(bench);
}, 300_000);
afterAll(async () => {
  await registry.close();
  await bench.clear();
});

/** Each container has a memory of its own, which outlives it. */
async function options(memory: string, settings = config): Promise<string[]> {
  const data = join(bench.home, memory);
  await mkdir(data, { recursive: true });
  await chown(data, 1000, 1000);
  const mounts = [
    `${await bench.file(`${memory}.yml`, settings, 1000)}:/etc/diun.yml:ro`,
    `${await bench.file("images.yml", images, 1000)}:/etc/images.yml:ro`,
    `${registry.caFile}:/etc/ssl/certs/ca-certificates.crt:ro`,
    `${data}:/data`,
  ];
  const env = ["--env", "LOG_JSON=true", "--env", "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"];
  return [...locked, ...registry.options, ...env, ...mounts.flatMap((each) => ["--volume", each])];
}
const serve = ["serve", "--config", "/etc/diun.yml"];
const lines = async (container: string): Promise<Record<string, unknown>[]> =>
  (await logs(container))
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test("finds new tags of the kind that it watches, and tells nobody at its first look", async () => {
  for (const tag of ["1.2.0", "1.1.9", "1.1.10", "1.1.8", "1.3.0-rc1", "latest"])
    await registry.tag("example/app", tag);
  const container = await bench.start("diun", pin, await options("first"), serve);
  expect(await untilExec(container, "diun", "healthcheck")).toBe("healthy");
  const found = (await lines(container)).filter(({ message }) => message === "New image found");
  // The named one and the two newest by their numbers.
  expect(found.map(({ image }) => image).sort()).toEqual(["ghcr.io/example/app:1.1.10", "ghcr.io/example/app:1.2.0"]);
  expect(found[0]).toMatchObject({ level: "info", provider: "file", time: expect.stringMatching(/^\d{4}-/) });
  expect(await lines(container)).toContainEqual(
    expect.objectContaining({ message: "Jobs completed", added: 2, updated: 0, unchanged: 0, skipped: 0, failed: 0 }),
  );
  expect(await logs(container)).not.toContain("told of");
  expect(await bench.exec(container, "diun", "image", "list")).toMatch(
    /^\| ghcr\.io\/example\/app \| 2 \| 1\.2\.0 \|/m,
  );
});

test("remembers over a restart, and then tells of what is new and of what has changed", async () => {
  const container = await bench.start("kept", pin, await options("kept"), serve);
  await untilExec(container, "diun", "healthcheck");
  await registry.tag("example/app", "1.10.0");
  await registry.tag("example/app", "1.2.0", "made anew");
  await docker("restart", container);
  const told = ["told of ghcr.io/example/app:1.10.0: new bar\n", "told of ghcr.io/example/app:1.2.0: update bar\n"];
  await until("both told", 20_000, async () => {
    const text = await logs(container);
    return told.every((line) => text.includes(line)) ? true : undefined;
  });
  expect((await lines(container)).filter(({ message }) => message === "Image update found")).toEqual([
    expect.objectContaining({ level: "info", provider: "file", image: "ghcr.io/example/app:1.2.0" }),
  ]);
});

test("is healthy when a registry is away, and says which", async () => {
  registry.faults.inject({ name: "registry-down" });
  const container = await bench.start("alone", pin, await options("alone"), serve);
  await untilExec(container, "diun", "healthcheck");
  expect(await lines(container)).toContainEqual(
    expect.objectContaining({
      level: "error",
      message: "Cannot list tags from registry",
      image: "ghcr.io/example/app:1.2.0",
    }),
  );
  expect(await lines(container)).toContainEqual(expect.objectContaining({ message: "Jobs completed", failed: 1 }));
  registry.faults.clear();
});

test("believes no registry whose certificate it cannot check", async () => {
  const container = await bench.start(
    "wary",
    pin,
    [...(await options("wary")), "--env", "SSL_CERT_FILE=/dev/null", "--env", "SSL_CERT_DIR=/nowhere"],
    serve,
  );
  await untilExec(container, "diun", "healthcheck");
  expect(JSON.stringify(await lines(container))).toContain("certificate");
});

test.each([
  [config.replace("schedule", "shedule"), "field shedule not found"],
  [config.replace("providers", "#"), "the file provider alone"],
  // P34: in double quotes a backslash begins an escape.
  [config.replace("/data/diun.db", '"\\d"'), "unknown escape character"],
])("refuses a configuration that it cannot follow", async (settings, message) => {
  const { code, output } = await bench.once(pin, await options("odd", settings), serve);
  expect([code, output]).toEqual([1, expect.stringContaining(message)]);
});

test("refuses a variable of DIUN's that it does not know", async () => {
  const { code, output } = await bench.once(pin, [...(await options("odd")), "--env", "DIUN_WATCH_SHEDULE=x"], serve);
  expect([code, output]).toEqual([1, expect.stringContaining("DIUN_WATCH_SHEDULE")]);
});
