export interface LokiConfig {
  readonly logsDays: number;
  /** What Go may use: what Loki keeps in memory has to fit in it. */
  readonly heapMb: number;
}

/**
 * One process, one disk. Every ring lives in memory and says 127.0.0.1 of itself: with Loki's defaults it looks for
 * members by gossip, finds none, and never becomes ready (P16).
 */
export const renderLokiConfig = ({ logsDays, heapMb }: LokiConfig): string => `auth_enabled: false

server:
  http_listen_port: 3100
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: 9095
  log_level: warn

common:
  instance_addr: 127.0.0.1
  path_prefix: /loki
  replication_factor: 1
  ring:
    instance_addr: 127.0.0.1
    kvstore:
      store: inmemory
  storage:
    filesystem:
      chunks_directory: /loki/chunks
      rules_directory: /loki/rules

memberlist:
  join_members: []

ingester:
  lifecycler:
    address: 127.0.0.1
    final_sleep: 0s
    min_ready_duration: 0s
    ring:
      kvstore:
        store: inmemory
      replication_factor: 1
  wal:
    dir: /loki/wal
    replay_memory_ceiling: ${Math.floor(heapMb * 0.4)}MB

schema_config:
  configs:
    - from: 2024-04-01
      store: tsdb
      object_store: filesystem
      schema: v13
      index:
        prefix: index_
        period: 24h

compactor:
  working_directory: /loki/compactor
  compaction_interval: 10m
  retention_enabled: true
  retention_delete_delay: 2h
  delete_request_store: filesystem

limits_config:
  retention_period: ${logsDays * 24}h
  max_query_lookback: ${logsDays * 24}h
  max_query_length: 0s
  reject_old_samples: true
  reject_old_samples_max_age: 168h
  discover_service_name: []

chunk_store_config:
  chunk_cache_config:
    embedded_cache:
      enabled: true
      max_size_mb: ${Math.floor(heapMb / 10)}

query_range:
  results_cache:
    cache:
      embedded_cache:
        enabled: true
        max_size_mb: ${Math.floor(heapMb / 40)}

analytics:
  reporting_enabled: false
`;
