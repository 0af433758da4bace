/** One line or number of a panel. */
export interface Query {
  /** MetricsQL for the datasource `metrics`, LogQL for `logs`. */
  readonly expr: string;
  /** With `{{label}}`; empty for a single line. */
  readonly legend?: string;
}

export interface PanelSpec {
  readonly title: string;
  readonly kind: "timeseries" | "stat" | "logs";
  readonly datasource: "metrics" | "logs";
  readonly queries: readonly [Query, ...Query[]];
  /** Grafana's name of a unit: `percent`, `bytes`, `s`, `reqps`, `currencyUSD`, `short`. @default "short" */
  readonly unit?: string;
  /** Where green turns orange and then red. */
  readonly thresholds?: readonly [warning: number, critical: number];
  /** Why an empty answer is no fault; otherwise a test fails on one. */
  readonly mayBeEmpty?: string;
}

/** One dashboard of Grafana; rendered by `renderDashboard`. */
export interface DashboardSpec {
  /** Stable: links and bookmarks use it. */
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly [PanelSpec, ...PanelSpec[]];
}

export interface AlertSpec {
  readonly name: string;
  /** MetricsQL that answers something only when something is wrong. */
  readonly expr: string;
  readonly forMinutes: number;
  readonly severity: "warning" | "critical";
  /** What an operator reads: what is wrong, and where to look. */
  readonly summary: string;
}

/** Uids that dashboards refer to (P30). */
export const DATASOURCES = { metrics: "victoriametrics", logs: "loki" } as const;
