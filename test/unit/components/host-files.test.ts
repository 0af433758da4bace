import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";

const SCRIPT = join(__dirname, "../../../files/host/files.py");
const scratch = mkdtempSync(join(tmpdir(), "vpai-files-"));
afterAll(() => rmSync(scratch, { recursive: true }));

// Giving files away is root's privilege, as on the host.
const isRoot = process.getuid?.() === 0;
const owner = isRoot ? [4242, 4343] : [process.getuid?.() ?? 0, process.getgid?.() ?? 0];

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(scratch, "root-"));
});

interface Result {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(config: object | null, rest: object = {}, env: NodeJS.ProcessEnv = {}): Result {
  const plan = {
    service: "app",
    digest: "0123456789abcdef",
    owner,
    data: [],
    config,
    validate: null,
    reload: null,
    ...rest,
  };
  return spawnSync("python3", [SCRIPT], {
    input: JSON.stringify(plan),
    env: { ...process.env, VPAI_ROOT: root, ...env },
    encoding: "utf8",
    timeout: 20_000,
  });
}

const config = (files: Record<string, string>): object => ({
  path: join(root, "config/app"),
  files: Object.entries(files).map(([path, content]) => ({ path, mode: "0400", content })),
});

const describeAsRoot = isRoot ? describe : describe.skip;

describeAsRoot("files on the host", () => {
  test("are the service's alone", () => {
    expect(
      run(config({ "a.conf": "a", "secrets/key": "s3cret" }), {
        data: [{ path: join(root, "data/app"), mode: "0750" }],
      }),
    ).toMatchObject({ status: 0, stdout: '{"written": ["a.conf", "secrets/key"], "removed": []}\n' });
    for (const [path, mode] of [
      ["config/app", 0o40700],
      ["config/app/secrets", 0o40700],
      ["config/app/secrets/key", 0o100400],
      ["data/app", 0o40750],
    ] as const) {
      const status = statSync(join(root, path));
      expect([path, status.mode, status.uid, status.gid]).toEqual([path, mode, ...owner]);
    }
  });

  test("a second run writes nothing; a change writes what changed; what is no longer planned goes", () => {
    run(config({ a: "1", "old/b": "2" }));
    const inode = statSync(join(root, "config/app")).ino;
    expect(run(config({ a: "1", "old/b": "2" })).stdout).toBe('{"written": [], "removed": []}\n');
    expect(run(config({ a: "2" })).stdout).toBe('{"written": ["a"], "removed": ["old/b"]}\n');
    expect(readdirSync(join(root, "config/app"))).toEqual(["a"]);
    // The directory is mounted: it must stay the same one.
    expect(statSync(join(root, "config/app")).ino).toBe(inode);
  });

  test("what was made too open by hand is closed again", () => {
    run(config({ a: "1" }));
    rmSync(join(root, "config/app/a"));
    writeFileSync(join(root, "config/app/a"), "1", { mode: 0o644 });
    expect(run(config({ a: "1" })).stdout).toBe('{"written": ["a"], "removed": []}\n');
  });

  test("refused files change nothing, and their content is not shown", () => {
    run(config({ a: "good" }));
    const result = run(config({ a: "s3cret" }), { validate: ["sh", "-c", "echo line 1 is wrong; exit 3", "{dir}"] });
    expect(result.status).toBe(1);
    expect(result.stderr).toBe("files: the new files are refused, the old ones stay:\nline 1 is wrong\n");
    expect(readFileSync(join(root, "config/app/a"), "utf8")).toBe("good");
    expect(readdirSync(join(root, "config"))).toEqual(["app"]);
  });

  test("the check sees the new files", () => {
    expect(run(config({ a: "new" }), { validate: ["grep", "-qx", "new", "{dir}/a"] }).status).toBe(0);
  });

  // A stand-in for the command `docker`: what it is asked is in its log, and it knows one container.
  test.each([
    ["true sha256:1 0123456789abcdef", "of the image and the digest: it stays, and takes the files", true],
    ["false sha256:1 0123456789abcdef", "that is down", false],
    ["true sha256:2 0123456789abcdef", "of another image: it is about to be replaced", false],
    ["true sha256:1 fedcba9876543210", "with other files that it does not take: it is about to be replaced", false],
    ["", "that is not there", false],
  ])("a container that is %j, %s", (container, _, reloaded) => {
    const log = join(root, "log");
    const docker = `#!/bin/sh
      echo "$*" >> ${log}
      case $1 in container) echo "${container}";; image) echo sha256:1;; esac`;
    writeFileSync(join(root, "docker"), docker, { mode: 0o755 });
    const reload = { container: "app", image: "the-image", argv: ["take", "them"] };
    expect(run(config({ a: "new" }), { reload }, { PATH: `${root}:${process.env["PATH"]}` }).status).toBe(0);
    expect(readFileSync(log, "utf8").includes("exec app take them\n")).toBe(reloaded);
  });

  test("a container that refuses the files is told of", () => {
    const docker = `#!/bin/sh
      case $1 in container) echo "true sha256:1 0123456789abcdef";; image) echo sha256:1;; *) echo line 3; exit 1;; esac`;
    writeFileSync(join(root, "docker"), docker, { mode: 0o755 });
    const reload = { container: "app", image: "the-image", argv: ["take"] };
    expect(run(config({ a: "new" }), { reload }, { PATH: `${root}:${process.env["PATH"]}` })).toMatchObject({
      status: 1,
      stderr: "files: app did not reload:\nline 3\n",
    });
  });

  test.each([["../outside"], ["../../outside"], ["secrets/../../x"], ["/etc/passwd"]])(
    "nothing is written outside: %s",
    (path) => {
      mkdirSync(join(root, "config"), { recursive: true });
      expect(run(config({ [path]: "x" }))).toMatchObject({
        status: 1,
        stderr: expect.stringContaining("is not below"),
      });
    },
  );
});
