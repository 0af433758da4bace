import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { parse } from "yaml";
import { planContainer } from "../../../../components/service/plan/container.ts";
import { planFiles } from "../../../../components/service/plan/files.ts";
import { revealFrom, secretsOfProvision } from "../../../../components/service/plan/secrets.ts";
import { qdrant } from "../../../../components/services/qdrant/service.ts";
import { testContext } from "../../../support/context.ts";

const reveal = revealFrom({ "qdrant-api-key": "WriteKey1", "qdrant-read-key": "ReadKey1" });
const context = testContext();
const files = planFiles(qdrant, context, qdrant.image.pin, reveal);
const file = (path: string): string | undefined => files.config?.files.find((each) => each.path === path)?.content;

test("its configuration has both keys, tells nobody of its use, and keeps everything in its mounts", () => {
  expect(parse(file("qdrant.yaml") ?? "")).toEqual({
    log_level: "INFO",
    storage: {
      storage_path: "/qdrant/storage",
      snapshots_path: "/qdrant/snapshots",
      on_disk_payload: true,
      optimizers: { default_segment_number: 2 },
      collection: { vectors: { on_disk: true } },
    },
    service: {
      host: "0.0.0.0",
      http_port: 6333,
      grpc_port: null,
      enable_cors: false,
      enable_static_content: false,
      metrics_prefix: "qdrant_",
      api_key: "WriteKey1",
      read_only_api_key: "ReadKey1",
    },
    telemetry_disabled: true,
  });
});

test("no key is in the environment, the command or a health check, and files with one are its user's alone", () => {
  expect(JSON.stringify(planContainer(qdrant, context))).not.toMatch(/WriteKey1|ReadKey1/);
  expect(files.owner).toEqual([1000, 1000]);
  expect(files.config?.files.map(({ path, mode }) => [path, mode])).toEqual([
    ["qdrant.yaml", "0400"],
    ["secrets/api-key", "0400"],
    ["snapshots.sh", "0400"],
  ]);
});

test("P13: Qdrant is asked over a socket of bash's, with a real request for its readiness", () => {
  const script = qdrant.health.test.at(-1) ?? "";
  expect(qdrant.health.test.slice(0, 3)).toEqual(["CMD", "bash", "-c"]);
  expect(script).toContain("/dev/tcp/127.0.0.1/6333");
  expect(script).toContain("GET /readyz HTTP/1.0\\r\\n");
  expect(script).not.toMatch(/curl|wget|localhost/);
});

test("P13: Qdrant's storage and snapshots are two mounts of its user, and its configuration is named to it", () => {
  expect(files.data.map(({ path, mode }) => [path, mode])).toEqual([
    ["/opt/vpai/data/qdrant/storage", "0700"],
    ["/opt/vpai/data/qdrant/snapshots", "0700"],
  ]);
  expect(qdrant.data?.map(({ target }) => target)).toEqual(["/qdrant/storage", "/qdrant/snapshots"]);
  expect(qdrant.entrypoint?.at(-1)).toContain("--config-path /etc/vpai/qdrant.yaml");
});

test("P13: Qdrant's metrics are read with the key that can change nothing", () => {
  expect(qdrant.metrics).toEqual({ bearer: "qdrant-read-key" });
});

test("its init file is where it can write", () => {
  expect(qdrant.environment?.(context)).toEqual({ QDRANT_INIT_FILE_PATH: "/tmp/qdrant-initialized" });
  expect(Object.keys(qdrant.tmpfs ?? {})).toEqual(["/tmp"]);
});

test("each collection of the deployment is a state that is read back; only a missing one is made", () => {
  const collections = [{ service: "openclaw", name: "long memory", dimensions: 1536, distance: "Cosine" } as const];
  const requirements = { ...context.requirements, collections };
  const ask = { path: "/collections/long%20memory", headers: { "api-key": "WriteKey1" } };
  const vectors = { size: 1536, distance: "Cosine" };
  expect(qdrant.provision?.steps({ ...context, requirements }, reveal)).toEqual([
    {
      name: "collection long memory for openclaw",
      probe: { method: "GET", ...ask },
      satisfiedBy: { status: 200, json: { result: { config: { params: { vectors } } } } },
      apply: [{ method: "PUT", ...ask, json: { vectors }, when: { status: 404 }, ok: [200] }],
      holdsData: true,
    },
  ]);
  expect(secretsOfProvision(qdrant, { ...context, requirements })).toEqual(["qdrant-api-key"]);
});

test("the script of its copies is one that bash understands, and says how it is used", () => {
  const script = join(__dirname, "../../../../components/services/qdrant/snapshots.sh");
  expect(file("snapshots.sh")).toMatch(/^#!\/bin\/bash\n/);
  expect(execFileSync("bash", ["-n", script]).toString()).toBe("");
});

test("every metric that it is watched by is one of Qdrant's, with the prefix of its configuration", () => {
  const expressions = [
    ...qdrant.alerts.map(({ expr }) => expr),
    ...qdrant.dashboards.flatMap(({ panels }) =>
      panels.filter(({ datasource }) => datasource === "metrics").flatMap(({ queries }) => queries.map((q) => q.expr)),
    ),
  ];
  const names = [...new Set(expressions.flatMap((expr) => expr.match(/\b[a-z]+_[a-z_]+\b/g) ?? []))];
  // qdrant.tech/documentation/ops-monitoring/monitoring, version 1.19.
  expect(names.filter((name) => name !== "histogram_quantile").sort()).toEqual([
    "qdrant_app_status_recovery_mode",
    "qdrant_collection_points",
    "qdrant_collections_total",
    "qdrant_memory_resident_bytes",
    "qdrant_process_open_mmaps",
    "qdrant_rest_responses_duration_seconds_bucket",
    "qdrant_rest_responses_total",
    "qdrant_system_max_mmaps",
  ]);
});
