/** The API of a VictoriaMetrics, as far as tests use it. */
export interface MetricsStore {
  /** Stores lines in Prometheus' text format, all at one instant unless they say theirs. */
  add(lines: string, labels: Readonly<Record<string, string>>, milliseconds?: number): Promise<void>;
  /** Makes what was stored visible. */
  flush(): Promise<void>;
  /** What an expression answers now; `only` keeps to series with that label. */
  ask(expr: string, only?: Readonly<Record<string, string>>): Promise<readonly Sample[]>;
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

export function metricsStore(url: string): MetricsStore {
  const send = async (path: string, params: readonly [string, string][], body?: string): Promise<string> => {
    const query = new URLSearchParams(params.map(([name, value]): [string, string] => [name, value]));
    const answer = await fetch(`${url}${path}?${query.toString()}`, {
      method: "POST",
      ...(body !== undefined && { body }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} ${params.map(String).join(" ")}: ${answer.status} ${text}`);
    return text;
  };
  return {
    async add(lines, labels, milliseconds) {
      const extra = Object.entries(labels).map(([name, value]): [string, string] => [
        "extra_label",
        `${name}=${value}`,
      ]);
      const at: [string, string][] = milliseconds === undefined ? [] : [["timestamp", String(milliseconds)]];
      await send("/api/v1/import/prometheus", [...extra, ...at], lines);
    },
    async flush() {
      await send("/internal/force_flush", []);
    },
    async ask(expr, only = {}) {
      const filters = Object.entries(only).map(([name, value]): [string, string] => [
        "extra_label",
        `${name}=${value}`,
      ]);
      // Without the offset, the newest half minute would be kept back; without the cache, an earlier answer would come.
      const now: [string, string][] = [
        ["latency_offset", "1ms"],
        ["nocache", "1"],
      ];
      const text = await send("/api/v1/query", [["query", expr], ...filters, ...now]);
      const { data } = JSON.parse(text) as { data: { resultType: string; result: Answer[] } };
      return data.result.map(({ metric, value }) => ({ metric, value: Number(value[1]) }));
    },
  };
}

interface Answer {
  readonly metric: Record<string, string>;
  readonly value: [number, string];
}
