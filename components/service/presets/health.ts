import type { HealthCheck } from "../model/facets.ts";

/** How long a product may take to become healthy, in seconds. */
export interface StartTime {
  /** Failures do not count until then. */
  readonly startPeriodSeconds: number;
  /** The gate gives up then. */
  readonly deadlineSeconds: number;
}

/** A check every 5 s that may take 5 s and fail five times. */
export const healthCheck = (
  test: readonly string[],
  { startPeriodSeconds, deadlineSeconds }: StartTime,
): HealthCheck => ({ test, intervalSeconds: 5, timeoutSeconds: 5, retries: 5, startPeriodSeconds, deadlineSeconds });

/** A GET by the image's wget that has to be answered 2xx. */
export const httpHealth = (port: number, path: string, start: StartTime): HealthCheck =>
  healthCheck(["CMD", "wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${port}${path}`], start);
