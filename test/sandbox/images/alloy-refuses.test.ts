import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { recorded } from "../../support/monitoring/recorded.ts";
import type { Bench } from "./container-harness.ts";
import { openBench } from "./container-harness.ts";

const pin = `docker.io/grafana/alloy:v1.20.1@sha256:${"0".repeat(64)}`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--user", "473:473"];
const command = ["run", "--storage.path=/var/lib/alloy/data", "/etc/vpai/config.alloy"];
const text = recorded("config.alloy");
let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pin]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

describe("ends with", () => {
  test.each([
    ["a component it does not know", "logging {", 'local.file "x" {\n}\nlogging {', 'has no component "local.file"'],
    ["an attribute it does not know", "job_name ", "job_label ", 'unrecognized attribute name "job_label"'],
    ["a reference to nothing", "loki.write.logs.receiver", "loki.write.log.receiver", 'field "log" does not exist'],
    [
      "a receiver of another kind",
      "loki.write.logs.receiver",
      "prometheus.remote_write.metrics.receiver",
      "is nothing of loki.write",
    ],
    ["text that is no configuration", "logging {", "logging", "expected"],
    ["a component twice", "logging {", 'loki.write "logs" {\n}\nlogging {', "already declared"],
  ])("%s", async (_, from, to, message) => {
    expect(text).toContain(from);
    const path = await bench.file("bad.alloy", text.replace(from, to), 473);
    const { code, output } = await bench.once(pin, [...locked, "-v", `${path}:/etc/vpai/config.alloy:ro`], command);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  });

  test.each([
    [["run", "--unknown", "/etc/vpai/config.alloy"], "flag provided but not defined: -unknown"],
    [["fmt", "/x"], "does `run` and `validate` alone"],
    [["run"], "a path to the configuration is missing"],
  ])("%j", async (words, message) => {
    const { code, output } = await bench.once(pin, locked, words);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  });
});
