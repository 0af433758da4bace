import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";
import { until } from "../support/until.ts";

// files/host/backup.py with the real restic, on a repository in a folder. `docker` is a stand-in: containers that are healthy.

const SCRIPT = join(__dirname, "../../files/host/backup.py");
const DOCKER = `#!/bin/sh
echo "$*" >> "$HOME/docker.log"
case $1 in ps) printf 'app\\nuser\\n' ;; inspect) echo healthy ;; esac
`;
const MINUTE = 60_000;
const scratch = mkdtempSync(join(tmpdir(), "vpai-backup-"));
afterAll(() => rmSync(scratch, { recursive: true }));

let home: string;
const at = (name: string): string => join(home, name);
const put = (name: string, text: string, mode = 0o644): void => writeFileSync(at(name), text, { mode });
const text = (name: string): string => readFileSync(at(name), "utf8");

interface Item {
  readonly name: string;
  readonly dump: readonly string[];
  readonly restore: readonly string[];
}
const fileItem = (name: string, more: Partial<Item> = {}): Item => ({
  name,
  dump: ["cat", at(name)],
  restore: ["sh", "-c", `cat > ${at(name)}`],
  ...more,
});

function plan(items: readonly Item[], password = "a password"): void {
  const verified = items.map((item) => ({
    service: "app",
    verify: { argv: ["cat", at(item.name)], expect: "." },
    ...item,
  }));
  put(
    "plan.json",
    JSON.stringify({
      stack: "prod",
      options: [],
      items: verified,
      dependants: { app: ["user"] },
      environment: { RESTIC_REPOSITORY: at("repository"), RESTIC_PASSWORD: password },
    }),
  );
}

const environment = (): Record<string, string> => ({
  PATH: `${home}:${process.env["PATH"]}`,
  HOME: home,
  VPAI_BACKUP_PLAN: at("plan.json"),
  VPAI_STATE: home,
  VPAI_CACHE: at("cache"),
});
function run(...words: readonly string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync("python3", ["-I", SCRIPT, ...words], {
    env: environment(),
    encoding: "utf8",
  });
  return { code: status, out: stdout, error: stderr.trim() };
}
const list = (): { items: { path: string; error?: string | null }[]; snapshots: { id: string; path: string }[] } =>
  JSON.parse(run("list").out) as ReturnType<typeof list>;
const snapshots = (): number => list().snapshots.length;

beforeEach(() => {
  home = mkdtempSync(join(scratch, "home-"));
  put("docker", DOCKER, 0o755);
  put("data", "one\n");
  plan([fileItem("data")]);
  expect(run("open")).toEqual({ code: 0, out: "repository made\n", error: "" });
}, MINUTE);

test(
  "an item is saved and listed, its age is a metric, and stock restic prints it",
  () => {
    expect(run("open").out).toBe("repository opened\n");
    expect(run("run").out).toMatch(/^✓ app\/data 4 B [\d.]+ s, snapshot [0-9a-f]{8}\n1 items saved\n$/);
    expect(list()).toMatchObject({ items: [{ path: "app/data", error: null }], snapshots: [{ path: "app/data" }] });
    expect(text("backup.prom")).toMatch(/last_success_timestamp_seconds\{item="app\/data"\} \d{10}\n/);
    const env = { ...environment(), RESTIC_REPOSITORY: at("repository"), RESTIC_PASSWORD: "a password" };
    const stock = spawnSync("restic", ["dump", "latest", "/app/data"], { env, encoding: "utf8" });
    expect(stock.stdout).toBe("one\n");
  },
  MINUTE,
);

test(
  "upkeep forgets all but one copy of a day, checks the repository, and raises its metric where that is damaged",
  () => {
    for (const word of ["one", "two"]) {
      put("data", `${word}\n`);
      run("run");
    }
    expect(snapshots()).toBe(2);
    expect(run("upkeep")).toEqual({
      code: 0,
      out: "old snapshots forgotten\nrepository checked, with 5% of its data\n",
      error: "",
    });
    expect(snapshots()).toBe(1);
    expect(text("backup.prom")).toContain('vpai_backup_failed{item="upkeep"} 0\n');
    rmSync(at("repository/index"), { recursive: true });
    expect(run("upkeep").code).toBe(1);
    expect(text("backup.prom")).toContain('vpai_backup_failed{item="upkeep"} 1\n');
  },
  MINUTE,
);

test(
  "the heartbeat hears of each whole run: its start, and its end or its failure; of a part it hears nothing",
  async () => {
    const heard: string[] = [];
    const receiver = createServer((request, response) => {
      heard.push(request.url ?? "");
      response.end();
    }).listen(0, "127.0.0.1");
    await once(receiver, "listening");
    const { port } = receiver.address() as AddressInfo;
    const runs = async (...words: readonly string[]): Promise<void> => {
      const heartbeat = `http://127.0.0.1:${port}/ping`;
      put("plan.json", JSON.stringify({ ...(JSON.parse(text("plan.json")) as object), heartbeat }));
      await once(spawn("python3", ["-I", SCRIPT, ...words], { env: environment(), stdio: "ignore" }), "exit");
    };
    await runs("run", "app");
    expect(heard).toEqual([]);
    await runs("run");
    plan([fileItem("missing")]);
    await runs("run");
    receiver.close();
    expect(heard).toEqual(["/ping/start", "/ping", "/ping/start", "/ping/fail"]);
  },
  MINUTE,
);

test(
  "a dump that breaks off, an empty one and one of less than half leave no snapshot; the other items are saved",
  () => {
    put("large", "x".repeat(200_000));
    const broken = ["sh", "-c", "echo half of it; echo 'connection lost' >&2; exit 3"];
    plan([fileItem("broken", { dump: broken }), fileItem("empty", { dump: ["true"] }), fileItem("large")]);
    expect(run("run")).toEqual({
      code: 1,
      out: expect.stringMatching(
        /^✗ app\/broken: its dump failed \(exit code 3\): connection lost\n✗ app\/empty: its dump is empty\n✓ app\/large 200\.0 kB/,
      ),
      error: "backup: 2 of 3 items were not saved: app/broken, app/empty",
    });
    expect(snapshots()).toBe(1);
    expect(text("backup.prom")).toContain('vpai_backup_failed{item="app/broken"} 1\n');
    put("large", "x".repeat(90_000));
    plan([fileItem("large")]);
    const shrunken = run("run", "app");
    expect(shrunken.out).toBe(
      "✗ app/large: its dump has 90.0 kB, and the last had 200.0 kB; do: if that is right, `vpai backup app --accept-smaller`\n",
    );
    expect(snapshots()).toBe(1);
    expect(run("run", "--accept-smaller", "app").code).toBe(0);
    expect(snapshots()).toBe(2);
  },
  2 * MINUTE,
);

test(
  "a restore saves what there is, stops what depends on it, puts the copy back and proves it",
  () => {
    run("run");
    put("data", "two\n");
    expect(JSON.parse(run("plan", "app").out)).toMatchObject({ items: [{ path: "app/data" }], stops: ["app", "user"] });
    const restored = run("restore", "app");
    expect(restored).toMatchObject({ code: 0, error: "" });
    expect(restored.out).toMatch(
      /^saving app as it is\n.*\n {2}app\/data: 4 B of \S+ put back\napp is restored, and proved\n$/,
    );
    expect(text("data")).toBe("one\n");
    expect(text("docker.log")).toMatch(/stop --time 60 user\n[^]*start user\n/);
    // Back again by what was saved before; the newest usual copy stays the first.
    const safety = list().snapshots.at(-1)?.id ?? "";
    expect(run("restore", "app", "--snapshot", safety).code).toBe(0);
    expect(text("data")).toBe("two\n");
    expect(run("restore", "app").code).toBe(0);
    expect(text("data")).toBe("one\n");
  },
  2 * MINUTE,
);

test(
  "a restore that fails, and one that is killed, leave what was there before",
  () => {
    run("run");
    put("data", "two\n");
    const once = `cat > ${at("data")}; test -e ${at("failed")} || { touch ${at("failed")}; echo 'no space left' >&2; exit 1; }`;
    plan([fileItem("data", { restore: ["sh", "-c", once] })]);
    expect(run("restore", "app")).toMatchObject({
      code: 1,
      error: "backup: app is as it was before: app/data: not put back (exit code 1): no space left",
    });
    expect(text("data")).toBe("two\n");
    expect(existsSync(at("restore.json"))).toBe(false);
  },
  2 * MINUTE,
);

test(
  "a restore that is killed is taken back by the next run",
  async () => {
    run("run");
    put("data", "two\n");
    plan([
      fileItem("data", {
        restore: ["sh", "-c", `cat > ${at("data")}; test -e ${at("half")} || { touch ${at("half")}; sleep 60; }`],
      }),
    ]);
    const killed = spawn("python3", ["-I", SCRIPT, "restore", "app"], {
      env: environment(),
      detached: true,
      stdio: "ignore",
    });
    await until("the restore is half done", 30_000, async () => existsSync(at("half")) || undefined);
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    expect(text("data")).toBe("one\n");
    expect(run("run").out).toMatch(/^putting back app as it was before the restore\n/);
    expect(text("data")).toBe("two\n");
    expect(existsSync(at("restore.json"))).toBe(false);
  },
  2 * MINUTE,
);

test(
  "what does not exist, and a wrong password, are named; nothing is touched",
  () => {
    run("run");
    expect(run("run", "nothing").error).toBe("backup: service nothing: nothing of it is saved; allowed: app");
    expect(run("restore", "app", "--snapshot", "deadbeef").error).toBe(
      "backup: snapshot deadbeef: not one of app's; `vpai backups` lists them",
    );
    expect(run("plan", "app", "--at", "2020-01-01T00:00:00Z").error).toMatch(
      /^backup: --at 2020-01-01T00:00:00Z: before the first copy of app\/data; the oldest is of 20\d\d-/,
    );
    plan([fileItem("data")], "another password");
    expect(run("run").error).toBe("backup: restic unlock: Fatal: wrong password or no key found");
    expect(text("data")).toBe("one\n");
  },
  MINUTE,
);
