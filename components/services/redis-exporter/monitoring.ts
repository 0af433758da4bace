import { alert, stat, timeseries } from "../../service/presets/index.ts";
import type { AlertSpec, DashboardSpec } from "../../service/model/monitoring.ts";

const MEMORY = "100 * redis_memory_used_bytes / (redis_memory_max_bytes > 0)";

const HITS =
  "100 * rate(redis_keyspace_hits_total[5m]) / " +
  "((rate(redis_keyspace_hits_total[5m]) + rate(redis_keyspace_misses_total[5m])) > 0)";

const NO_READS = "no key was read in the last minutes";

const REDIS: DashboardSpec = {
  uid: "vpai-redis",
  title: "Redis",
  panels: [
    stat("Answers", "redis_up"),
    stat("Memory in use", MEMORY, { unit: "percent" }),
    stat("Clients", "redis_connected_clients"),
    stat("Found in cache", HITS, { unit: "percent", mayBeEmpty: NO_READS }),
    timeseries("Commands a second", "ops", {
      expr: "topk(10, sum by (cmd) (rate(redis_commands_total[5m])))",
      legend: "{{cmd}}",
    }),
    timeseries("Time a command takes", "s", {
      expr: "topk(10, sum by (cmd) (rate(redis_commands_duration_seconds_total[5m])) / (sum by (cmd) (rate(redis_commands_total[5m])) > 0))",
      legend: "{{cmd}}",
    }),
    timeseries("Memory", "bytes", [
      { expr: "redis_memory_used_bytes", legend: "used" },
      { expr: "redis_memory_used_rss_bytes", legend: "resident" },
      { expr: "redis_memory_max_bytes", legend: "maxmemory" },
    ]),
    timeseries("Keys", undefined, [
      { expr: "sum(redis_db_keys) or vector(0)", legend: "all" },
      { expr: "sum(redis_db_keys_expiring) or vector(0)", legend: "that expire" },
    ]),
    timeseries("Reads a second", "ops", [
      { expr: "rate(redis_keyspace_hits_total[5m])", legend: "found" },
      { expr: "rate(redis_keyspace_misses_total[5m])", legend: "not found" },
    ]),
    timeseries("Keys that went", "ops", [
      { expr: "rate(redis_expired_keys_total[5m])", legend: "expired" },
      { expr: "rate(redis_evicted_keys_total[5m])", legend: "evicted: out of memory" },
    ]),
    timeseries("Network", "Bps", [
      { expr: "rate(redis_net_input_bytes_total[5m])", legend: "received" },
      { expr: "rate(redis_net_output_bytes_total[5m])", legend: "sent" },
    ]),
    timeseries("Refused", undefined, [
      { expr: "increase(redis_acl_access_denied_cmd_total[15m])", legend: "commands" },
      { expr: "increase(redis_acl_access_denied_key_total[15m])", legend: "keys" },
      { expr: "increase(redis_acl_access_denied_auth_total[15m])", legend: "passwords" },
    ]),
  ],
};

export const alerts: readonly AlertSpec[] = [
  alert(
    "critical",
    "RedisDown",
    "redis_up == 0",
    2,
    "Redis is down or rejects the exporter's login. See the redis log.",
  ),
  alert(
    "warning",
    "RedisConnectionsRefused",
    "increase(redis_rejected_connections_total[15m]) > 0",
    0,
    "Redis has turned clients away, because there are too many. Look which service opens them.",
  ),
  alert(
    "warning",
    "RedisPasswordRefused",
    "increase(redis_acl_access_denied_auth_total[15m]) > 0",
    0,
    "A client used a wrong Redis password. `ACL LOG` names the address: a service that missed a new password?",
  ),
];

export const dashboards: readonly DashboardSpec[] = [REDIS];
