import { spawn } from "node:child_process";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openclaw } from "../../../components/services/openclaw.ts";
import { testContext } from "../../support/context.ts";
import type { Bench } from "../../sandbox/images/bench.ts";
import { docker, logs, openBench } from "../../sandbox/images/bench.ts";
import { startAsDefined } from "./as-defined.ts";
const base = testContext();
const context = { ...base, settings: { ...base.settings, telegramAllowFrom: [12345], given: [...base.settings.given, "openclawTelegramToken" as const] } };
const secrets = { "openclaw-gateway-token": "tok-1234567890abcdefghij", "openclaw-llm": "Key-of-this-test", "settings-openclawTelegramToken": "123456:abcdefghijklmnopqrstuvwxyz" };
let bench: Bench; let container: string;
beforeAll(async () => {
  bench = await openBench([openclaw.image]);
  const network = bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "");
  const host = await docker("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", network);
  const options = ["--add-host", `litellm:${host}`];
  container = await startAsDefined(bench, openclaw, { context, secrets, options });
}, 600000);
afterAll(() => bench.clear());
test("chat", async () => {
  const { readFileSync } = await import("node:fs");
  const script = readFileSync("/tmp/oc-e/run/ws.mjs", "utf8");
  const stats = async () => (await docker("stats", "--no-stream", "--format", "{{.MemUsage}} {{.PIDs}}", container)) + " | " + (await bench.exec(container, "sh", "-c", "grep -E '^(rss|cache|mapped_file|shmem) ' /sys/fs/cgroup/memory/memory.stat 2>/dev/null || head -8 /sys/fs/cgroup/memory.stat; cat /sys/fs/cgroup/memory/memory.max_usage_in_bytes"));
  console.log("start", await stats());
  for (const n of [1, 2, 3]) {
    const out = await new Promise<string>((resolve) => { const c = spawn("docker", ["exec", "-i", container, "node", "--input-type=module", "-e", script]); let o = ""; c.stdout.on("data", (d: Buffer) => (o += d)); c.stderr.on("data", (d: Buffer) => (o += d)); c.on("close", () => resolve(o)); });
    console.log(n, out.split("\n").filter((l) => /final|error|closed/.test(l)).map((l) => l.slice(0, 300)).join("\n"), await stats());
  }
  await bench.exec(container, "sh", "-c", "set -a; . /etc/vpai/secrets/env; timeout 100 openclaw dashboard --no-open || true").then((o) => console.log(o), (e) => console.log("dash", String(e).slice(0, 600)));
  console.log(await stats(), await bench.exec(container, "sh", "-c", "du -sh /tmp /home/node/.openclaw /home/node/.openclaw/* /home/node/.cache /home/node/.config; touch /x; df -h /tmp | tail -1").catch((e) => String(e)));
  console.log((await logs(container)).slice(-6000));
  console.log(await docker("inspect", "-f", "{{.State.OOMKilled}} {{.RestartCount}}", container));
  expect(1).toBe(1);
}, 400000);
