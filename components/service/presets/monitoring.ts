import type { AlertSpec, PanelSpec, Query } from "../model/monitoring.ts";

type Queries = readonly [Query, ...Query[]];
type PanelOptions = Partial<Pick<PanelSpec, "datasource" | "thresholds" | "mayBeEmpty">>;

const queriesOf = (queries: string | Query | Queries): Queries => {
  if (typeof queries === "string") return [{ expr: queries }];
  return Array.isArray(queries) ? (queries as unknown as Queries) : [queries as Query];
};

/** Lines over time. `unit` is Grafana's name of one. The datasource is `metrics` unless the options name `logs`. */
export const timeseries = (
  title: string,
  unit: string | undefined,
  queries: string | Query | Queries,
  options: PanelOptions = {},
): PanelSpec => ({
  title,
  kind: "timeseries",
  datasource: "metrics",
  ...(unit !== undefined && { unit }),
  queries: queriesOf(queries),
  ...options,
});

/** One number. The datasource is `metrics` unless the options name `logs`. */
export const stat = (
  title: string,
  queries: string | Query | Queries,
  options: PanelOptions & Pick<PanelSpec, "unit"> = {},
): PanelSpec => ({ title, kind: "stat", datasource: "metrics", queries: queriesOf(queries), ...options });

/** Log lines that a LogQL expression selects. */
export const logs = (title: string, expr: string, options: PanelOptions = {}): PanelSpec => ({
  title,
  kind: "logs",
  datasource: "logs",
  queries: [{ expr }],
  ...options,
});

/** A container's own log. */
export const ownLog = (container: string): PanelSpec => logs("Log", `{container="${container}"}`);

/** An alert that fires after `forMinutes` minutes. */
export const alert = (
  severity: AlertSpec["severity"],
  name: string,
  expr: string,
  forMinutes: number,
  summary: string,
): AlertSpec => ({ name, expr, forMinutes, severity, summary });
