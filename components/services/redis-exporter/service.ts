import { images } from "../../images.ts";
import { canAsk, exporter } from "../../service/presets/exporter.ts";
import type { DashboardSpec } from "../../service/model/monitoring.ts";
import type { ServiceDefinition } from "../../service/model/definition.ts";

const PORT = 9121;
const LIMIT_MB = 32;
const NAME = "redis-exporter";
const SECRET = "redis-exporter-redis";

const MEMORY = "100 * redis_memory_used_bytes / (redis_memory_max_bytes > 0)";
const HITS =
  "100 * rate(redis_keyspace_hits_total[5m]) / " +
  "((rate(redis_keyspace_hits_total[5m]) + rate(redis_keyspace_misses_total[5m])) > 0)";
const NOBODY_READS = "nobody has read a key in the last minutes";

const REDIS: DashboardSpec = {
  uid: "vpai-redis",
  title: "Redis",
  panels: [
    { title: "Answers", kind: "stat", datasource: "metrics", queries: [{ expr: "redis_up" }] },
    { title: "Memory in use", kind: "stat", datasource: "metrics", queries: [{ expr: MEMORY }], unit: "percent" },
    { title: "Clients", kind: "stat", datasource: "metrics", queries: [{ expr: "redis_connected_clients" }] },
    {
      title: "Found in cache",
      kind: "stat",
      datasource: "metrics",
      queries: [{ expr: HITS }],
      unit: "percent",
      mayBeEmpty: NOBODY_READS,
    },
    {
      title: "Commands a second",
      kind: "timeseries",
      datasource: "metrics",
      unit: "ops",
      queries: [{ expr: "topk(10, sum by (cmd) (rate(redis_commands_total[5m])))", legend: "{{cmd}}" }],
    },
    {
      title: "Time a command takes",
      kind: "timeseries",
      datasource: "metrics",
      unit: "s",
      queries: [
        {
          expr: "topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total[5m])) / (sum by (cmd) (rate(redis_commands_total[5m])) > 0))",
          legend: "{{cmd}}",
        },
      ],
    },
    {
      title: "Memory",
      kind: "timeseries",
      datasource: "metrics",
      unit: "bytes",
      queries: [
        { expr: "redis_memory_used_bytes", legend: "used" },
        { expr: "redis_memory_used_rss_bytes", legend: "resident" },
        { expr: "redis_memory_max_bytes", legend: "maxmemory" },
      ],
    },
    {
      title: "Keys",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: "sum(redis_db_keys) or vector(0)", legend: "all" },
        { expr: "sum(redis_db_keys_expiring) or vector(0)", legend: "that expire" },
      ],
    },
    {
      title: "Reads a second",
      kind: "timeseries",
      datasource: "metrics",
      unit: "ops",
      queries: [
        { expr: "rate(redis_keyspace_hits_total[5m])", legend: "found" },
        { expr: "rate(redis_keyspace_misses_total[5m])", legend: "not found" },
      ],
    },
    {
      title: "Keys that went",
      kind: "timeseries",
      datasource: "metrics",
      unit: "ops",
      queries: [
        { expr: "rate(redis_expired_keys_total[5m])", legend: "expired" },
        { expr: "rate(redis_evicted_keys_total[5m])", legend: "evicted for want of memory" },
      ],
    },
    {
      title: "Network",
      kind: "timeseries",
      datasource: "metrics",
      unit: "Bps",
      queries: [
        { expr: "rate(redis_net_input_bytes_total[5m])", legend: "received" },
        { expr: "rate(redis_net_output_bytes_total[5m])", legend: "sent" },
      ],
    },
    {
      title: "Refused",
      kind: "timeseries",
      datasource: "metrics",
      queries: [
        { expr: "increase(redis_acl_access_denied_cmd_total[15m])", legend: "commands" },
        { expr: "increase(redis_acl_access_denied_key_total[15m])", legend: "keys" },
        { expr: "increase(redis_acl_access_denied_auth_total[15m])", legend: "passwords" },
      ],
    },
  ],
};

/** What Redis tells of itself. */
export const redisExporter: ServiceDefinition = {
  name: NAME,
  image: images["redis-exporter"].pin,
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
  configDir: "/etc/vpai",
  files: [
    {
      // Passwords by the address that they are for, with the account's name in it as soon as REDIS_USER is set.
      path: "secrets/passwords.json",
      secrets: [SECRET],
      render: (secrets) => JSON.stringify({ [`redis://${NAME}@redis:6379`]: secrets[SECRET] ?? "" }),
    },
  ],
  redis: {
    keys: [],
    // Everything that it asks at each scrape: one that it may not would be counted as refused, again and again.
    rules: ["-@all", "+info", "+client|setname", "+slowlog|len", "+slowlog|get", "+latency|latest"],
  },
  needs: ["redis"],
  alerts: [
    {
      name: "RedisDown",
      expr: "redis_up == 0",
      forMinutes: 2,
      severity: "critical",
      summary: "Redis lets nobody in who asks for its statistics. Look at the log of redis.",
    },
    {
      name: "RedisNotSaved",
      expr: "redis_rdb_last_bgsave_status == 0 or redis_aof_last_write_status == 0",
      forMinutes: 5,
      severity: "critical",
      summary: "Redis cannot write its data to disk. Look at the log of redis, and whether the disk is full.",
    },
    {
      name: "RedisConnectionsRefused",
      expr: "increase(redis_rejected_connections_total[15m]) > 0",
      forMinutes: 0,
      severity: "warning",
      summary: "Redis has turned clients away, because there are too many. Look which service opens them.",
    },
    {
      name: "RedisPasswordRefused",
      expr: "increase(redis_acl_access_denied_auth_total[15m]) > 0",
      forMinutes: 0,
      severity: "warning",
      summary:
        "Somebody gave Redis a wrong password. `ACL LOG` names the address: a service that missed a new password?",
    },
  ],
  dashboards: [REDIS],
  backup: { none: "it keeps nothing" },
  smoke: [canAsk("redis-exporter", PORT, "Redis", "redis_up")],
  upgrade: "A version that asks Redis more than the rules in this file allow says so in its log, and in `ACL LOG`.",
};
