/** What service definitions are written with. */
export { dataTar, postgresDump } from "./backup.ts";
export { CONFIG_DIR, defineService } from "./define-service.ts";
export { ENV_FILE, envFile, withEnvFile } from "./env-file.ts";
export { secretFile } from "./files.ts";
export { healthCheck, httpHealth } from "./health.ts";
export { alert, logs, ownLog, stat, timeseries } from "./monitoring.ts";
export { notApplicable } from "./not-applicable.ts";
export { local, viaEdge } from "./smoke.ts";
export { validateInImage } from "./validate.ts";
