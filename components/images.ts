/** A pinned image, and which tags are newer versions of it. */
export interface Image {
  /** `host/repository:tag@sha256:…`; the digest is of the index of all platforms. */
  readonly pin: string;
  /** Matches the tags that are versions of the same kind. */
  readonly versions: string;
  /** Release notes; `{version}` is the tag's version number, `{tag}` the tag. */
  readonly notes: string;
}

const SEMVER = String.raw`^\d+\.\d+\.\d+$`;
const V_SEMVER = String.raw`^v\d+\.\d+\.\d+$`;

/**
 * Every tag and digest of the catalogue: the one place to change. `vpai images update` proposes newer ones.
 * Digests as published by their registries and quoted by at least three public projects, October 2026.
 */
export const images = {
  postgresql: {
    pin: "docker.io/pgvector/pgvector:0.8.7-pg18-bookworm@sha256:2358fcba361ed2233a5ed81b5fe4ca779ccb304120ce531a3bf51c0ed7e2bc11",
    // Another major version of PostgreSQL is a migration, not an update.
    versions: String.raw`^\d+\.\d+\.\d+-pg18-bookworm$`,
    notes: "https://github.com/pgvector/pgvector/blob/master/CHANGELOG.md",
  },
  redis: {
    pin: "docker.io/library/redis:8.4.0-bookworm@sha256:c22af04bb576503bf16b3e34a1fd2fd82de0f765afd866d2e380145e0af30d78",
    versions: String.raw`^\d+\.\d+\.\d+-bookworm$`,
    notes: "https://github.com/redis/redis/releases/tag/{version}",
  },
  qdrant: {
    pin: "docker.io/qdrant/qdrant:v1.19.2@sha256:b7b0444c4c351c970b98e90a6f89c2ee4287c65b44e52b4cb503fa5b2aa927ad",
    versions: V_SEMVER,
    notes: "https://github.com/qdrant/qdrant/releases/tag/{tag}",
  },
  n8n: {
    pin: "docker.io/n8nio/n8n:2.42.4@sha256:9c0862a08090c79122069e23131d27529c250b92e90c9d51a6ec406fe1527c4e",
    versions: SEMVER,
    notes: "https://github.com/n8n-io/n8n/releases/tag/n8n%40{tag}",
  },
  litellm: {
    pin: "ghcr.io/berriai/litellm:v1.102.1@sha256:87f34979b9f8cb274fac90ca8a4fdda07d8480de22755562a26adeb95ce20d02",
    versions: V_SEMVER,
    notes: "https://github.com/BerriAI/litellm/releases/tag/{tag}",
  },
  openclaw: {
    pin: "ghcr.io/openclaw/openclaw:2026.9.9@sha256:7f10d5cc975a90b65192eaa099454fe33ce8ce2390806c61c65cd868e9ef730d",
    versions: String.raw`^\d{4}\.\d+\.\d+$`,
    notes: "https://github.com/openclaw/openclaw/releases/tag/v{tag}",
  },
  caddy: {
    pin: "docker.io/library/caddy:2.11.7-alpine@sha256:d8542f48d34a9cf4e4c11a478865229840e87e4c96ea3f439101f31a5d35f75f",
    versions: String.raw`^\d+\.\d+\.\d+-alpine$`,
    notes: "https://github.com/caddyserver/caddy/releases/tag/v{version}",
  },
  victoriametrics: {
    pin: "docker.io/victoriametrics/victoria-metrics:v1.152.0@sha256:86ca5fdb6d87d56ba047b044039019ba2bd9042b36e35f6ea34e437b6c825cef",
    versions: V_SEMVER,
    notes: "https://github.com/VictoriaMetrics/VictoriaMetrics/releases/tag/{tag}",
  },
  loki: {
    pin: "docker.io/grafana/loki:3.7.8@sha256:1107dd5274e0ada47e42472b7a7e71f3b2a2fe878878108f3e2f9e51528f0193",
    versions: SEMVER,
    notes: "https://github.com/grafana/loki/releases/tag/v{tag}",
  },
  alloy: {
    pin: "docker.io/grafana/alloy:v1.20.1@sha256:2aa2099af76c0098d4af7a4d6e48f86cb66dc1a000222ad927a1c67c6542d13f",
    versions: V_SEMVER,
    notes: "https://github.com/grafana/alloy/releases/tag/{tag}",
  },
  grafana: {
    pin: "docker.io/grafana/grafana:13.2.3@sha256:b28bae15e219c998fb0e0424ed724930cc61b1f61fb404d47c862f9a23f9e572",
    versions: SEMVER,
    notes: "https://github.com/grafana/grafana/releases/tag/v{tag}",
  },
  headscale: {
    pin: "docker.io/headscale/headscale:v0.29.3@sha256:0e7f1c6e4ce6c2a2a001103ecd3fa645a045adf30ac8a5234fe037b43000cd72",
    versions: V_SEMVER,
    notes: "https://github.com/juanfont/headscale/releases/tag/{tag}",
  },
  tailscale: {
    pin: "docker.io/tailscale/tailscale:v1.102.3@sha256:8c42c4574ab066384fcb72f69e086a2ff1dd3652eb6f56856cee34bcf0d2f680",
    versions: V_SEMVER,
    notes: "https://tailscale.com/changelog",
  },
  diun: {
    pin: "docker.io/crazymax/diun:4.33.0@sha256:e324b793eb32dfb7f74d3a39421ebf090141caaadee69b8f78da63112408ee25",
    versions: SEMVER,
    notes: "https://github.com/crazy-max/diun/releases/tag/v{tag}",
  },
  cadvisor: {
    pin: "ghcr.io/google/cadvisor:v0.60.6@sha256:b8e7d1093144fd088f425ff003d75a4aa405de075db78dae3bc563730b1bd07a",
    versions: V_SEMVER,
    notes: "https://github.com/google/cadvisor/releases/tag/{tag}",
  },
  "socket-proxy": {
    pin: "ghcr.io/tecnativa/docker-socket-proxy:v0.5.0@sha256:1f5038b54f06c3e18422902cf00ba21803d1c97805aae032e5e6673d532d3459",
    versions: V_SEMVER,
    notes: "https://github.com/Tecnativa/docker-socket-proxy/releases/tag/{tag}",
  },
  "node-exporter": {
    pin: "docker.io/prom/node-exporter:v1.12.1@sha256:1b4e4438faca4dd7e001dd445d161a4a2091b0fededa84093b3a8dfeae1f1be0",
    versions: V_SEMVER,
    notes: "https://github.com/prometheus/node_exporter/releases/tag/{tag}",
  },
  "postgres-exporter": {
    pin: "quay.io/prometheuscommunity/postgres-exporter:v0.20.1@sha256:ac5ec343104fae0e2d84a27bb8d69b38430a11910c5382cad85d478d2bab713e",
    versions: V_SEMVER,
    notes: "https://github.com/prometheus-community/postgres_exporter/releases/tag/{tag}",
  },
  "redis-exporter": {
    pin: "docker.io/oliver006/redis_exporter:v1.93.0-alpine@sha256:93831cd4d5d67687de67c9d5221b14312fea580af8d157583ed9d4459bf2dd70",
    versions: String.raw`^v\d+\.\d+\.\d+-alpine$`,
    notes: "https://github.com/oliver006/redis_exporter/releases/tag/v{version}",
  },
} as const satisfies Readonly<Record<string, Image>>;
