import { DATASOURCES, type DashboardSpec, type PanelSpec } from "../../service/model/monitoring.ts";

/** Of the classic model, as Grafana 12.2 and later write it: an older one is migrated in each browser, each time. */
const SCHEMA_VERSION = 42;

/** Columns of Grafana's grid. */
const COLUMNS = 24;

const TYPES = { metrics: "prometheus", logs: "loki" } as const;

const SIZES = { timeseries: { w: 12, h: 8 }, stat: { w: 6, h: 4 }, logs: { w: 24, h: 10 } } as const satisfies Record<
  PanelSpec["kind"],
  object
>;

const OPTIONS = {
  timeseries: {
    legend: { displayMode: "list", placement: "bottom", showLegend: true, calcs: [] },
    tooltip: { mode: "multi", sort: "desc" },
  },
  stat: {
    colorMode: "value",
    graphMode: "none",
    justifyMode: "auto",
    orientation: "auto",
    reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false },
    textMode: "auto",
  },
  logs: { enableLogDetails: true, showTime: true, sortOrder: "Descending", wrapLogMessage: true },
} as const satisfies Record<PanelSpec["kind"], object>;

interface Position {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** From left to right; a panel that does not fit starts a line below the highest of the one before. */
function layout(panels: readonly PanelSpec[]): Position[] {
  let [x, y, height] = [0, 0, 0];
  return panels.map(({ kind }) => {
    const { w, h } = SIZES[kind];
    if (x + w > COLUMNS) [x, y, height] = [0, y + height, 0];
    const position = { x, y, w, h };
    [x, height] = [x + w, Math.max(height, h)];
    return position;
  });
}

function renderPanel(panel: PanelSpec, index: number, gridPos: Position): object {
  const { kind, thresholds } = panel;
  const datasource = { type: TYPES[panel.datasource], uid: DATASOURCES[panel.datasource] };
  const instant = kind === "stat";
  const targets = panel.queries.map(({ expr, legend }, at) => ({
    refId: String.fromCharCode(65 + at),
    datasource,
    editorMode: "code",
    expr,
    legendFormat: legend || panel.title,
    ...(panel.datasource === "metrics"
      ? { instant, range: !instant }
      : { queryType: instant ? "instant" : "range", ...(kind === "logs" && { maxLines: 500 }) }),
  }));
  const steps = [
    { color: "green", value: null },
    ...(thresholds
      ? [
          { color: "orange", value: thresholds[0] },
          { color: "red", value: thresholds[1] },
        ]
      : []),
  ];
  const defaults = {
    unit: panel.unit ?? "short",
    color: { mode: kind === "stat" ? "thresholds" : "palette-classic" },
    thresholds: { mode: "absolute", steps },
    custom: kind === "timeseries" ? { fillOpacity: 10, thresholdsStyle: { mode: thresholds ? "line" : "off" } } : {},
  };
  return {
    id: index + 1,
    type: kind,
    title: panel.title,
    datasource,
    gridPos,
    targets,
    fieldConfig: { defaults, overrides: [] },
    options: OPTIONS[kind],
  };
}

/** A dashboard as Grafana reads it from a file. */
export function renderDashboard({ uid, title, panels }: DashboardSpec): string {
  if (!/^[A-Za-z0-9_-]{1,40}$/.test(uid)) throw new Error(`${uid} is no uid of a dashboard`);
  const positions = layout(panels);
  const dashboard = {
    uid,
    title,
    tags: ["vpai"],
    schemaVersion: SCHEMA_VERSION,
    editable: false,
    graphTooltip: 1,
    time: { from: "now-6h", to: "now" },
    refresh: "30s",
    timezone: "browser",
    annotations: { list: [] },
    links: [],
    templating: { list: [] },
    panels: panels.map((panel, index) => renderPanel(panel, index, positions[index] as Position)),
  };
  return `${JSON.stringify(dashboard, undefined, 2)}\n`;
}
