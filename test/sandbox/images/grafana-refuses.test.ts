import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { openBench } from "./container-harness.ts";
import { grafanaFiles, grafanaOptions, grafanaPin, grafanaVariables } from "./grafana-bench.ts";

let bench: Bench;
let runs = 0;

beforeAll(async () => {
  bench = await openBench([grafanaPin]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

async function run(files: Readonly<Record<string, string>>, variables: Readonly<Record<string, string>>) {
  const options = await grafanaOptions(bench, `refused-${(runs += 1)}`, files, variables);
  return bench.once(grafanaPin, [...options, "--tmpfs", "/var/lib/grafana:uid=472"]);
}

const without = (all: Readonly<Record<string, string>>, name: string) =>
  Object.fromEntries(Object.entries(all).filter(([key]) => key !== name));

describe("ends with", () => {
  const dashboard = "dashboards/vpai-sample.json";
  const sources = "provisioning/datasources/vpai.yaml";

  test.each([
    ["a source without a uid (P30)", sources, "    uid: loki\n", "", "Loki: no uid"],
    ["a source of an unknown kind", sources, "type: loki", "type: logs", 'plugin "logs" is not registered'],
    ["a source of a kind that is off", sources, "type: loki", "type: tempo", 'plugin "tempo" is not registered'],
    ["two defaults", sources, "isDefault: false", "isDefault: true", "only one datasource per organization"],
    ["a setting of a source that it has not", sources, "maxLines", "maxLine", "jsonData.maxLine is unknown"],
    ["a key it does not know", sources, "prune: true", "prunes: true", "field prunes not found"],
    [
      "a panel of an unknown source (P30)",
      dashboard,
      '"uid": "loki"',
      '"uid": "Loki"',
      'datasource loki with uid "Loki" was not found',
    ],
    [
      "a source of another kind than the panel says",
      dashboard,
      '"type": "loki"',
      '"type": "prometheus"',
      "was not found",
    ],
    ["a panel of an unknown kind", dashboard, '"type": "logs"', '"type": "graph"', "Panel plugin not found: graph"],
    ["a panel over another", dashboard, '"x": 6', '"x": 5', 'panel "Up" lies over "Targets"'],
    ["a panel outside", dashboard, '"x": 18', '"x": 19', "outside of the 24 columns"],
    ["a query without expression", dashboard, '"expr": "up"', '"expr": ""', "a query has an expression"],
    ["a schema of the future", dashboard, '"schemaVersion": 42', '"schemaVersion": 43', "knows up to 42"],
    ["text that is no dashboard", dashboard, '"uid"', "uid", "invalid character"],
    ["a folder that is not there", "provisioning/dashboards/vpai.yaml", "/etc/vpai/dashboards", "/x", "no such file"],
    [
      "alerts",
      "provisioning/alerting/none.yaml",
      "apiVersion: 1",
      "apiVersion: 1\ngroups: []",
      "field groups not found",
    ],
  ])("%s", async (_, path, from, to, message) => {
    const text = grafanaFiles[path] ?? "";
    expect(text).toContain(from);
    const { code, output } = await run({ ...grafanaFiles, [path]: text.replace(from, to) }, grafanaVariables);
    expect([code, output]).toEqual([1, expect.stringContaining(message)]);
  });

  test("a dashboard twice", async () => {
    const twice = { ...grafanaFiles, "dashboards/again.json": grafanaFiles[dashboard] ?? "" };
    const { code, output } = await run(twice, grafanaVariables);
    expect([code, output]).toEqual([1, expect.stringContaining("its uid or title is that of another dashboard too")]);
  });

  test("a directory of provisioning missing", async () => {
    const { code, output } = await run(without(grafanaFiles, "provisioning/alerting/none.yaml"), grafanaVariables);
    expect([code, output]).toEqual([1, expect.stringContaining("can't read alerting provisioning files")]);
  });

  test("variables it does not know or go along with, all at once", async () => {
    const { code, output } = await run(grafanaFiles, {
      ...without(grafanaVariables, "GF_PLUGINS_PREINSTALL_DISABLED"),
      GF_SERVER_ROOT_ULR: "x",
      GF_SERVER_ROOT_URL: "https://x/grafana/",
      GF_AUTH_ANONYMOUS_ENABLED: "true",
      GF_SECURITY_ADMIN_PASSWORD: "y",
    });
    expect(code).toBe(1);
    for (const message of [
      "variables that this fake does not know: GF_SERVER_ROOT_ULR",
      'GF_SERVER_ROOT_URL "https://x/grafana/": a host without a path',
      'GF_AUTH_ANONYMOUS_ENABLED is "true"; this fake of Grafana does false alone',
      "both GF_SECURITY_ADMIN_PASSWORD and GF_SECURITY_ADMIN_PASSWORD__FILE are set (but are exclusive)",
      "GF_PLUGINS_PREINSTALL_DISABLED is not set",
    ])
      expect(output).toContain(message);
  });
});
