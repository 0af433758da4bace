import { recorded } from "../../support/monitoring/recorded.ts";
import { type Bench, untilExec } from "./container-harness.ts";

export const lokiPin = `docker.io/grafana/loki:3.7.8@sha256:${"0".repeat(64)}`;
export const lokiLocked = [
  "--cap-drop",
  "ALL",
  "--security-opt",
  "no-new-privileges",
  "--read-only",
  "--user",
  "10001:10001",
];
export const lokiCommand = ["-config.file=/etc/vpai/loki.yaml", "-target=all"];

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly data: unknown;
}

export interface LokiClient {
  ask(path: string, query?: Readonly<Record<string, string>>, init?: RequestInit): Promise<Answer>;
  query(expr: string): Promise<Answer>;
  range(expr: string, more?: Readonly<Record<string, string>>): Promise<Answer>;
  /** Lines by their time in milliseconds. */
  push(stream: Readonly<Record<string, string>>, ...values: readonly (readonly [number, string])[]): Promise<Answer>;
}

/** Starts Loki as the stack runs it, with this configuration and these mounts at /loki; answers its container. */
export async function startLoki(
  bench: Bench,
  options: readonly string[],
  config = recorded("loki.yaml"),
): Promise<string> {
  const file = await bench.file("loki.yaml", config, 10001);
  const mounts = ["-v", `${file}:/etc/vpai/loki.yaml:ro`];
  const container = await bench.start("loki", lokiPin, [...lokiLocked, ...mounts, ...options], lokiCommand);
  await untilExec(container, "/usr/bin/loki", "-health");
  return container;
}

export function lokiClient(url: string): LokiClient {
  const ask: LokiClient["ask"] = async (path, query = {}, init) => {
    const response = await fetch(`${url}${path}?${new URLSearchParams(query).toString()}`, init);
    const text = await response.text();
    const json = (response.headers.get("content-type") ?? "").includes("json");
    return { status: response.status, text, data: json ? (JSON.parse(text) as { data: unknown }).data : undefined };
  };
  return {
    ask,
    query: (expr) => ask("/loki/api/v1/query", { query: expr }),
    range: (expr, more = {}) => ask("/loki/api/v1/query_range", { query: expr, ...more }),
    push(stream, ...values) {
      const streams = [{ stream, values: values.map(([ms, line]) => [`${ms}000000`, line]) }];
      const headers = { "content-type": "application/json" };
      return ask("/loki/api/v1/push", {}, { method: "POST", headers, body: JSON.stringify({ streams }) });
    },
  };
}
