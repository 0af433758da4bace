import type { ServiceDefinition } from "../model/definition.ts";
import { httpHealth } from "./health.ts";

/** What one exporter says of itself. */
export interface Exporter {
  readonly port: number;
  /** Its own page, not the metrics: whether what it asks answers is an alert, and no reason to restart it. @default "/" */
  readonly page?: string;
  readonly requestMb: number;
  readonly limitMb: number;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What exporters have in common: small Go programs that keep nothing, in images that have BusyBox. */
export const exporter = ({ port, page = "/", requestMb, limitMb, environment }: Exporter) =>
  ({
    port,
    health: httpHealth(port, page, { startPeriodSeconds: 15, deadlineSeconds: 60 }),
    environment: () => ({ GOMEMLIMIT: `${Math.floor(limitMb * 0.85)}MiB`, ...environment }),
    pids: 64,
    memory: { requestMb, limitMb },
    cpus: 0.25,
    stopGraceSeconds: 10,
    metrics: {},
  }) satisfies Partial<ServiceDefinition>;

/** The smoke check of one that asks another product: whether it can. `up` is the metric that says so. */
export const canAsk = (
  name: string,
  port: number,
  product: string,
  up: string,
): ServiceDefinition["smoke"][number] => ({
  name: `${name} can ask ${product}`,
  exec: ["sh", "-c", `wget -q -O - http://127.0.0.1:${port}/metrics | grep '^${up} '`],
  prints: new RegExp(`^${up} 1$`),
});
