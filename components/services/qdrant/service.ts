import { CONFIG_DIR, secretFile, defineService, healthCheck } from "../../service/presets/index.ts";
import type { ServiceContext } from "../../service/model/context.ts";
import type { Reveal } from "../../service/model/facets.ts";
import type { Argv } from "../../service/model/operations.ts";
import type { HttpStep } from "../../service/model/provision.ts";
import { serviceSecrets } from "../../service/model/secrets.ts";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { images } from "../../images.ts";
import { alerts, dashboards } from "./monitoring.ts";

const CONFIG = `${CONFIG_DIR}/qdrant.yaml`;
const SCRIPT = `${CONFIG_DIR}/snapshots.sh`;
const snapshots = (...docker: string[]): Argv => ["docker", "exec", ...docker, "qdrant", "bash", SCRIPT];

const secrets = serviceSecrets("qdrant", { "api-key": { permanent: false }, "read-key": { permanent: false } });

/** Vectors lie on disk: what the kernel keeps of them in memory it can give back, an index in memory it cannot. */
const config = (reveal: Reveal): string => `log_level: INFO
storage:
  storage_path: /qdrant/storage
  snapshots_path: /qdrant/snapshots
  on_disk_payload: true
  optimizers:
    default_segment_number: 2
  collection:
    vectors:
      on_disk: true
service:
  host: 0.0.0.0
  http_port: 6333
  grpc_port: null
  enable_cors: false
  enable_static_content: false
  metrics_prefix: qdrant_
  api_key: ${JSON.stringify(reveal(secrets.ref["api-key"]))}
  read_only_api_key: ${JSON.stringify(reveal(secrets.ref["read-key"]))}
telemetry_disabled: true
`;

/** A collection of another shape is an error and not a change: changing it would be losing what is in it. */
function steps({ requirements }: ServiceContext, reveal: Reveal): HttpStep[] {
  const headers = { "api-key": reveal(secrets.ref["api-key"]) };
  return requirements.collections.map(({ service, name, dimensions, distance }) => {
    const [path, vectors] = [`/collections/${encodeURIComponent(name)}`, { size: dimensions, distance }];
    return {
      name: `collection ${name} for ${service}`,
      probe: { method: "GET", path, headers },
      satisfiedBy: { status: 200, json: { result: { config: { params: { vectors } } } } },
      apply: [{ method: "PUT", path, headers, json: { vectors }, when: { status: 404 }, ok: [200] }],
      holdsData: true,
    };
  });
}

/** The vector store. */
export const qdrant = defineService({
  name: "qdrant",
  image: images.qdrant,
  networks: ["backend"],
  port: 6333,
  user: { uid: 1000, gid: 1000 },
  // Qdrant only logs that it cannot read --config-path, and then serves all clients without a key.
  entrypoint: [
    "bash",
    "-c",
    `[[ -r ${CONFIG} ]] || { echo "${CONFIG} cannot be read" >&2; exit 1; }; exec ./entrypoint.sh --config-path ${CONFIG}`,
  ],
  data: [
    { path: "storage", target: "/qdrant/storage" },
    { path: "snapshots", target: "/qdrant/snapshots" },
  ],
  files: [
    { path: "qdrant.yaml", content: (_, reveal) => config(reveal) },
    secretFile("api-key", secrets.ref["api-key"]),
    { path: "snapshots.sh", content: () => readFileSync(join(import.meta.dirname, "snapshots.sh"), "utf8") },
  ],
  // By default it is written next to the program, which is read-only. It means this run alone, so memory will do.
  environment: () => ({ QDRANT_INIT_FILE_PATH: "/tmp/qdrant-initialized" }),
  secrets: secrets.specs,
  provides: "vectors",
  provision: { port: 6333, steps },
  // The image has neither wget nor curl (P13).
  health: healthCheck(
    [
      "CMD",
      "bash",
      "-c",
      "exec 3<>/dev/tcp/127.0.0.1/6333 && printf 'GET /readyz HTTP/1.0\\r\\nHost: qdrant\\r\\n\\r\\n' >&3 && " +
        "read -r _ status _ <&3 && [[ $status == 200 ]]",
    ],
    { startPeriodSeconds: 120, deadlineSeconds: 240 },
  ),
  memory: { requestMb: { standard: 192, small: 128 }, limitMb: { standard: 640, small: 384 } },
  // `/metrics` is for either key (api.qdrant.tech, v1.19: "either read-write or read-only").
  metrics: { bearer: secrets.ref["read-key"] },
  alerts,
  dashboards,
  backup: {
    scope: "every collection: vectors, payloads, configuration (aliases of collections are not in a snapshot)",
    items: [
      {
        name: "collections",
        dump: [...snapshots(), "dump"],
        restore: [...snapshots("--interactive"), "restore"],
        verify: { argv: [...snapshots(), "prove"], expect: /^every collection answers: \d+$/m },
      },
    ],
  },
  login: (_, reveal) => ({ key: reveal(secrets.ref["api-key"]) }),
  smoke: [
    {
      name: "every collection finds a point of its own",
      exec: ["bash", SCRIPT, "prove"],
      prints: /^every collection answers: \d+$/m,
    },
    {
      name: "rejects requests without a key",
      exec: [
        "bash",
        "-c",
        "exec 3<>/dev/tcp/127.0.0.1/6333 && printf 'GET /collections HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3",
      ],
      prints: /^HTTP\/1\.[01] 401 /,
    },
  ],
  upgrade:
    "Go through every minor version, each in its latest patch: the storage is converted at the start, one minor at a time, " +
    "and does not go back. A snapshot restores into the minor version that made it: make one first.",
});
