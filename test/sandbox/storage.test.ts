import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import Docker from "dockerode";
import { closeWorld, openWorld, type World } from "../../sandbox/supervisor/client.ts";
import { instanceOf } from "../../sandbox/supervisor/instance.ts";
import { livePid } from "../../sandbox/supervisor/pidfile.ts";
import { openStorage } from "../../sandbox/storage/storage.ts";
import { run } from "../../shared/exec.ts";
import { eventually } from "./support/ssh.ts";
import { traces } from "./support/traces.ts";

const name = `storage-${process.pid}`;
const instance = instanceOf(name);
const report = () => undefined;

let world: World;
let home: string;

/** Runs a program that asks the sandbox's DNS for names, as one on its servers does. */
async function asInside(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<string> {
  const script = 'mount --bind "$0" /etc/resolv.conf && exec "$@"';
  // This machine may have settings of its own, which are not for the sandbox.
  const direct = { NO_PROXY: "*", no_proxy: "*", AWS_CA_BUNDLE: "", HOME: home };
  const args = ["--mount", "sh", "-c", script, join(home, "resolv.conf"), ...command];
  return (await run("unshare", args, { env: { ...direct, ...env } })).stdout;
}

const restic = (...args: readonly string[]): Promise<string> =>
  asInside(["restic", "--quiet", "--cacert", world.caFile, "--repo", `s3:${world.storage.endpoint}/backups`, ...args], {
    AWS_ACCESS_KEY_ID: world.storage.accessKeyId,
    AWS_SECRET_ACCESS_KEY: world.storage.secretAccessKey,
    RESTIC_PASSWORD: "of the test",
  });

/** `hetzner:` is the storage. */
const rclone = (args: readonly string[], secret = world.storage.secretAccessKey): Promise<string> =>
  asInside(["rclone", "--retries", "1", "--ca-cert", world.caFile, ...args], {
    RCLONE_CONFIG_HETZNER_TYPE: "s3",
    RCLONE_CONFIG_HETZNER_PROVIDER: "Ceph",
    RCLONE_CONFIG_HETZNER_ENDPOINT: world.storage.endpoint,
    RCLONE_CONFIG_HETZNER_REGION: "fsn1",
    RCLONE_CONFIG_HETZNER_LOCATION_CONSTRAINT: "fsn1",
    RCLONE_CONFIG_HETZNER_ACCESS_KEY_ID: world.storage.accessKeyId,
    RCLONE_CONFIG_HETZNER_SECRET_ACCESS_KEY: secret,
  });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-storage-test-"));
  world = await openWorld(name, { report });
  await writeFile(join(home, "resolv.conf"), `nameserver ${world.gateway}\n`);
}, 300_000);

afterAll(async () => {
  await closeWorld(name);
  await rm(home, { recursive: true });
}, 60_000);

test("a start that fails shows why, and leaves no container", async () => {
  const keys = { backupAccessKeyId: "", backupSecretAccessKey: "" };
  const storage = await openStorage({ docker: new Docker(), instance, subnet: world.subnet, keys, log: report });
  await expect(storage.open(report)).rejects.toThrow(
    /object storage did not start: its container ended\n.*ACCESS_KEY_ID: parameter null or not set/,
  );
  expect((await world.inventory()).containers).toEqual([]);
}, 600_000);

test("it is started when it is asked for, and not before", async () => {
  const { endpoint } = world.storage;
  const look = () => asInside(["curl", "-sS", "-w", "%{http_code}", "--cacert", world.caFile, endpoint]);
  expect(await look()).toBe("the sandbox's object storage is not open\n503");
  await Promise.all([world.openStorage(report), world.openStorage(report)]);
  expect(await look()).toMatch(/<ListAllMyBucketsResult .*200$/);
  expect(await world.inventory()).toMatchObject({
    containers: [`${instance.prefix}-storage`],
    volumes: [],
    cloud: { servers: [] },
  });
}, 150_000);

test("its keys are in the environment of the sandbox, and in no argument", async () => {
  const { accessKeyId, secretAccessKey } = world.storage;
  expect(world.env()).toMatchObject({ BACKUP_ACCESS_KEY_ID: accessKeyId, BACKUP_SECRET_ACCESS_KEY: secretAccessKey });
  expect([accessKeyId, secretAccessKey]).toEqual([
    expect.stringMatching(/^[A-Z0-9]{20}$/),
    expect.stringMatching(/^[\w-]{40}$/),
  ]);
  const container = new Docker().getContainer(`${instance.prefix}-storage`);
  const { Config } = await container.inspect();
  expect(JSON.stringify([Config.Cmd, Config.Entrypoint, Config.Labels])).not.toContain(secretAccessKey);
  expect(String(await container.logs({ stdout: true, stderr: true }))).not.toContain(secretAccessKey);
});

test("restic makes a bucket, and has back what it has put there", async () => {
  const files = join(home, "files");
  await mkdir(files);
  await writeFile(join(files, "text"), "kept");
  await writeFile(join(files, "noise"), randomBytes(3_000_000));
  await restic("init");
  await restic("backup", files);
  await restic("restore", "latest", "--target", join(home, "restored"));
  for (const file of ["text", "noise"]) {
    expect(await readFile(join(home, "restored", files, file))).toEqual(await readFile(join(files, file)));
  }
  expect(await rclone(["lsf", "hetzner:"])).toBe("backups/");
}, 60_000);

test("a wrong secret key is refused", async () => {
  await expect(rclone(["lsf", "hetzner:backups"], "a".repeat(40))).rejects.toThrow(
    /SignatureDoesNotMatch.*\n?.*status code: 403/,
  );
});

test("one request takes a large file, whole", async () => {
  const file = join(home, "large");
  const bytes = randomBytes(50_000_000);
  await writeFile(file, bytes);
  await rclone(["mkdir", "hetzner:large"]);
  await rclone(["copyto", "--s3-upload-cutoff", "1G", "--s3-no-check-bucket", file, "hetzner:large/file"]);
  await rclone(["copyto", "hetzner:large/file", `${file}.back`]);
  const hash = (data: Buffer) => createHash("sha256").update(data).digest("hex");
  expect(hash(await readFile(`${file}.back`))).toBe(hash(bytes));
}, 60_000);

test("a bucket with versions keeps what is written over", async () => {
  const [put, seen] = [join(home, "put"), join(home, "seen")];
  await rclone(["mkdir", "hetzner:versions"]);
  expect(await rclone(["backend", "versioning", "hetzner:versions"])).toContain("Unversioned");
  await rclone(["backend", "versioning", "hetzner:versions", "Enabled"]);
  expect(await rclone(["backend", "versioning", "hetzner:versions"])).toContain("Enabled");
  for (const text of ["first", "second"]) {
    await writeFile(put, text);
    await rclone(["copyto", "--ignore-times", put, "hetzner:versions/file"]);
  }
  await rclone(["copy", "--s3-versions", "hetzner:versions", seen]);
  const { stdout } = await run("sh", ["-c", 'cat "$0"/* | sort', seen]);
  expect(await readFile(join(seen, "file"), "utf8")).toBe("second");
  expect(stdout).toContain("first");
}, 60_000);

test("a supervisor that follows one that was killed serves it without being asked", async () => {
  process.kill((await livePid(instance)) ?? 0, "SIGKILL");
  await eventually(
    "its end",
    10,
    () => livePid(instance),
    (pid) => pid === undefined,
  );
  const again = await openWorld(name, { report });
  expect(again.storage).toEqual(world.storage);
  expect(await restic("cat", "config")).toContain('"version"');
}, 60_000);

test("its container that is started again has all that was stored", async () => {
  await new Docker().getContainer(`${instance.prefix}-storage`).restart({ t: 10 });
  await world.openStorage(report);
  expect(await rclone(["lsf", "hetzner:"])).toBe("backups/\nlarge/\nversions/");
}, 150_000);

test("nothing of it is left once the sandbox is closed", async () => {
  expect((await traces(name)).join("\n")).toContain(`${instance.prefix}-storage`);
  await closeWorld(name);
  expect(await traces(name)).toEqual([]);
}, 60_000);
