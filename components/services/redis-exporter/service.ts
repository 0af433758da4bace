import { cacheSecret } from "../../service/model/secrets.ts";
import { defineService, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";
import { canAsk, exporter } from "../../service/presets/exporter.ts";
import { alerts, dashboards } from "./monitoring.ts";

const PORT = 9121;
const LIMIT_MB = 32;
const NAME = "redis-exporter";

/** Redis' metrics. */
export const redisExporter = defineService({
  name: NAME,
  image: images["redis-exporter"],
  networks: ["backend", "monitoring"],
  ...exporter({
    port: PORT,
    page: "/health",
    requestMb: 20,
    limitMb: LIMIT_MB,
    environment: {
      REDIS_ADDR: "redis://redis:6379",
      REDIS_USER: NAME,
      REDIS_PASSWORD_FILE: "/etc/vpai/secrets/passwords.json",
    },
  }),
  user: { uid: 59000, gid: 59000 },
  command: [
    // Neither is needed, so its account may neither read the configuration nor ask for histograms.
    "-config-command=-",
    "-exclude-latency-histogram-metrics",
    `-web.listen-address=:${PORT}`,
  ],
  files: [
    {
      // Passwords by the address that they are for, with the account's name in it as soon as REDIS_USER is set.
      path: "secrets/passwords.json",
      content: (_, reveal) => JSON.stringify({ [`redis://${NAME}@redis:6379`]: reveal(cacheSecret(NAME)) }),
    },
  ],
  cache: {
    keys: [],
    // Everything that it asks at each scrape: one that it may not would be counted as refused, again and again.
    rules: ["-@all", "+info", "+client|setname", "+slowlog|len", "+slowlog|get", "+latency|latest"],
  },
  alerts,
  dashboards,
  backup: notApplicable("it keeps nothing"),
  smoke: [canAsk("redis-exporter", PORT, "Redis", "redis_up")],
  upgrade: "A version that asks Redis more than the rules in this file allow says so in its log, and in `ACL LOG`.",
});
