import { describe, expect, test } from "@jest/globals";
import { renderAlloyConfig } from "../../../../components/services/alloy/config.ts";
import { renderDashboard } from "../../../../components/services/grafana/dashboard.ts";
import { renderDatasources, renderNothing } from "../../../../components/services/grafana/provisioning.ts";
import { renderLokiConfig } from "../../../../components/services/loki/config.ts";
import type { DashboardSpec, PanelSpec } from "../../../../components/service/model/monitoring.ts";
import { dashboard } from "../../../support/monitoring/sample.ts";

test("nothing to provision is a file all the same", () => {
  expect(renderNothing()).toBe("apiVersion: 1\n");
});

describe("loki.yaml", () => {
  test("says how long lines are kept, and that no query looks further back", () => {
    const text = renderLokiConfig({ logsDays: 30, heapMb: 160 });
    expect(text).toContain("  retention_period: 720h\n  max_query_lookback: 720h\n");
  });

  test("caches and replays within what Go may use", () => {
    const text = renderLokiConfig({ logsDays: 14, heapMb: 100 });
    expect(text).toContain("    replay_memory_ceiling: 40MB\n");
    expect(text.match(/max_size_mb: \d+/g)).toEqual(["max_size_mb: 10", "max_size_mb: 2"]);
  });
});

describe("config.alloy", () => {
  test("P31: the label of a log comes out of the container's description, without its slash", () => {
    expect(renderAlloyConfig([], "/x")).toContain(`	rule {
		source_labels = ["__meta_docker_container_name"]
		regex         = "/(.*)"
		target_label  = "container"
	}
`);
  });

  test("without anything to scrape it still follows logs", () => {
    const text = renderAlloyConfig([], "/x");
    expect(text).not.toContain("prometheus.scrape");
    expect(text).toContain('loki.source.docker "containers"');
  });
});

describe("a dashboard", () => {
  const panel = (kind: PanelSpec["kind"], more: Partial<PanelSpec> = {}): PanelSpec => ({
    title: kind,
    kind,
    datasource: "metrics",
    queries: [{ expr: "up" }],
    ...more,
  });
  const render = (panels: DashboardSpec["panels"]) =>
    JSON.parse(renderDashboard({ uid: "x", title: "X", panels })) as {
      readonly panels: readonly {
        readonly gridPos: object;
        readonly datasource: { readonly uid: string };
        readonly targets: readonly { readonly refId: string; readonly datasource: { readonly uid: string } }[];
      }[];
    };

  test("lays panels out in rows as high as their highest, and none over another", () => {
    const { panels } = render([panel("stat"), panel("timeseries"), panel("timeseries"), panel("logs"), panel("stat")]);
    expect(panels.map(({ gridPos }) => gridPos)).toEqual([
      { x: 0, y: 0, w: 6, h: 4 },
      { x: 6, y: 0, w: 12, h: 8 },
      { x: 0, y: 8, w: 12, h: 8 },
      { x: 0, y: 16, w: 24, h: 10 },
      { x: 0, y: 26, w: 6, h: 4 },
    ]);
  });

  test("P30: every panel and every query names the fixed uid of its data source", () => {
    const { panels } = render([panel("stat"), panel("logs", { datasource: "logs" })]);
    expect(panels.map(({ datasource, targets }) => [datasource.uid, targets[0]?.datasource.uid])).toEqual([
      ["victoriametrics", "victoriametrics"],
      ["loki", "loki"],
    ]);
    expect(renderDatasources().match(/ uid: \S+/g)).toEqual([" uid: victoriametrics", " uid: loki"]);
  });

  test("tells queries of one panel apart", () => {
    const { panels } = render([panel("timeseries", { queries: [{ expr: "a" }, { expr: "b" }, { expr: "c" }] })]);
    expect(panels[0]?.targets.map(({ refId }) => refId)).toEqual(["A", "B", "C"]);
  });

  test.each(["", "with space", "x".repeat(41)])("is not called %j, which Grafana would refuse", (uid) => {
    expect(() => renderDashboard({ ...dashboard, uid })).toThrow(`${uid} is no uid of a dashboard`);
  });
});
