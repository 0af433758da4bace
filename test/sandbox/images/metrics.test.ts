import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Bench } from "./container-harness.ts";
import { docker, openBench, untilExec } from "./container-harness.ts";

const digest = `sha256:${"0".repeat(64)}`;
const images = {
  victoriametrics: `docker.io/victoriametrics/victoria-metrics:v1.152.0@${digest}`,
  nodeExporter: `docker.io/prom/node-exporter:v1.12.1@${digest}`,
  postgresExporter: `quay.io/prometheuscommunity/postgres-exporter:v0.20.1@${digest}`,
  redisExporter: `docker.io/oliver006/redis_exporter:v1.93.0-alpine@${digest}`,
};
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"];
let bench: Bench;

beforeAll(async () => {
  bench = await openBench(Object.values(images));
}, 300_000);
afterAll(() => bench.clear(), 120_000);

test.each([
  ["victoriametrics", images.victoriametrics, "0:0", ["/victoria-metrics-prod"], 8428, "/health"],
  ["node-exporter", images.nodeExporter, "65534:65534", ["/bin/node_exporter"], 9100, "/metrics"],
  ["postgres-exporter", images.postgresExporter, "65534:65534", ["/bin/postgres_exporter"], 9187, "/metrics"],
  ["redis-exporter", images.redisExporter, "59000:59000", ["/redis_exporter"], 9121, "/health"],
])(
  "%s runs as upstream's image does: program, account, port, and a wget",
  async (name, pin, user, entry, port, path) => {
    const container = await bench.start(name, pin, [...locked, "--tmpfs", "/victoria-metrics-data"]);
    await untilExec(container, "wget", "-q", "-O", "/dev/null", `http://127.0.0.1:${port}${path}`);
    expect(await bench.exec(container, "stat", "-c", "%u:%g", "/proc/1")).toBe(user);
    const { Entrypoint, ExposedPorts } = JSON.parse(await docker("inspect", "-f", "{{json .Config}}", container)) as {
      Entrypoint: readonly string[];
      ExposedPorts: object;
    };
    expect([Entrypoint, Object.keys(ExposedPorts)]).toEqual([entry, [`${port}/tcp`]]);
  },
);

test("nothing of Debian's packages is there but the programs and what they need", async () => {
  const { output } = await bench.once(
    images.victoriametrics,
    ["--entrypoint", "sh"],
    ["-c", "ls /usr/bin/vm* /usr/sbin/useradd /etc/init.d/prometheus* /var/lib/prometheus 2>/dev/null; echo end"],
  );
  expect(output).toBe("end");
});
