import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { collectRequirements } from "../../../components/service/plan/requirements.ts";
import { alloy } from "../../../components/services/alloy/service.ts";
import { grafana } from "../../../components/services/grafana/service.ts";
import { loki } from "../../../components/services/loki/service.ts";
import { socketProxy } from "../../../components/services/socket-proxy/service.ts";
import { victoriametrics } from "../../../components/services/victoriametrics/service.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { docker, logs, openBench } from "../../sandbox/images/container-harness.ts";
import { serveDocker, type Served } from "../../sandbox/images/docker-api.ts";
import { testContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { startAsDefined } from "./docker-run-args.ts";

const services = [victoriametrics, loki, socketProxy, alloy, grafana];
const context = testContext({ requirements: collectRequirements(services, {}) });
const secrets = { "grafana-admin-password": "the-password", "grafana-secret-key": "the-key" };
const authorization = `Basic ${Buffer.from("admin:the-password").toString("base64")}`;
const containers = new Map<ServiceDefinition, string>();
let bench: Bench;
let api: Served;
let url: string;

beforeAll(async () => {
  bench = await openBench(services.map(({ image }) => image.pin));
  // The proxy's daemon: this machine's, as far as it concerns this bench.
  const socket = join(bench.home, "docker.sock");
  api = await serveDocker(bench, socket);
  for (const definition of services) {
    const how = {
      context,
      secrets,
      host: { "/var/run/docker.sock": socket },
      options: ["--label", `vpai.service=${definition.name}`],
    };
    containers.set(definition, await startAsDefined(bench, definition, how));
  }
  url = `http://${await bench.address(containerOf(grafana))}:3000`;
}, 300_000);
afterAll(async () => {
  await api.close();
  await bench.clear();
});

const containerOf = (definition: ServiceDefinition): string => containers.get(definition) ?? definition.name;

/** What a source answers through Grafana to an expression: how many series, or streams. */
async function answers(uid: "loki" | "victoriametrics", expr: string): Promise<readonly unknown[]> {
  const metric = uid === "victoriametrics";
  const path = metric ? "api/v1/query" : `loki/api/v1/query${/^(sum|rate|count)/.test(expr) ? "" : "_range"}`;
  // Without the offset the store would keep the newest half minute back.
  const query = new URLSearchParams({ query: expr, ...(metric && { latency_offset: "1ms", nocache: "1" }) });
  const answer = await fetch(`${url}/api/datasources/proxy/uid/${uid}/${path}?${query.toString()}`, {
    headers: { authorization },
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${expr}: ${answer.status} ${text}`);
  return (JSON.parse(text) as { data: { result: unknown[] } }).data.result;
}

const arrives = (uid: "loki" | "victoriametrics", expr: string) =>
  until(expr, 60_000, async () => {
    const result = await answers(uid, expr);
    return result.length > 0 ? result : undefined;
  });

test.each(services)(
  "$name runs locked down as its definition says, and passes its own checks",
  async (definition) => {
    const container = containerOf(definition);
    for (const check of definition.smoke) {
      if (!("exec" in check)) continue;
      // Some have to have been collected first.
      const said = await until(check.name, 60_000, async () => {
        const text = await bench.exec(container, ...check.exec);
        return check.prints.test(text) ? text : undefined;
      });
      expect(said).toMatch(check.prints);
    }
    expect(await logs(container)).not.toMatch(/the-password|the-key|panic|level=error/);
  },
  90_000,
);

test("a line that a container writes is found by its label", async () => {
  const label = ["--label", "vpai.service=say", "--entrypoint", "sh"];
  const full = await bench.start("say", grafana.image.pin, label, ["-c", "echo said it; exec sleep 600"]);
  const [stream] = await arrives("loki", `{container="${full}", service="say"} |= "said"`);
  expect(stream).toMatchObject({ stream: { container: full, service: "say" } });
}, 90_000);

test("everything that declares metrics is scraped, and is up", async () => {
  const declared = services.flatMap(({ name, metrics }) => ("reason" in metrics ? [] : [name])).toSorted();
  const result = await until("all targets", 60_000, async () => {
    const up = await answers("victoriametrics", "up == 1");
    return up.length >= declared.length ? up : undefined;
  });
  expect(result.map((each) => (each as { metric: { job: string } }).metric.job).toSorted()).toEqual(declared);
}, 90_000);

describe("each panel has data", () => {
  const panels = context.requirements.dashboards.flatMap(({ title, panels: all }) =>
    all.flatMap((panel) =>
      panel.queries.map(({ expr }) => [title, panel.title, panel.datasource, expr, panel.mayBeEmpty] as const),
    ),
  );

  test.each(panels)(
    "%s / %s: %s %s",
    async (_, title, datasource, expr, mayBeEmpty) => {
      const uid = datasource === "metrics" ? "victoriametrics" : "loki";
      const result = mayBeEmpty === undefined ? await arrives(uid, expr) : await answers(uid, expr);
      expect([title, Array.isArray(result)]).toEqual([title, true]);
    },
    90_000,
  );
});

test.each(services.flatMap(({ alerts }) => alerts).filter(({ expr }) => !expr.includes("container_last_seen")))(
  "$name is silent while all is well",
  async ({ expr }) => {
    expect(await answers("victoriametrics", expr)).toEqual([]);
  },
);

test("an alert speaks when what it watches is gone", async () => {
  const down = alloy.alerts.find(({ name }) => name === "TargetDown")?.expr ?? "";
  await docker("stop", "-t", "1", containerOf(loki));
  const result = await arrives("victoriametrics", down);
  expect(result).toMatchObject([{ metric: { job: "loki" } }]);
}, 90_000);
