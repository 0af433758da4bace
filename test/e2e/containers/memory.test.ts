import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import type { ServiceDefinition } from "../../../components/service/model/definition.ts";
import { collectRequirements } from "../../../components/service/plan/requirements.ts";
import { alloy } from "../../../components/services/alloy/service.ts";
import { grafana } from "../../../components/services/grafana/service.ts";
import { loki } from "../../../components/services/loki/service.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { docker, openBench } from "../../sandbox/images/container-harness.ts";
import { testContext } from "../../support/context.ts";
import { until } from "../../support/until.ts";
import { dockerRunArgs, startAsDefined } from "./docker-run-args.ts";

const services = [loki, grafana, alloy];
const how = {
  context: testContext({ size: "small", requirements: collectRequirements(services, {}) }),
  secrets: { "grafana-admin-password": "the-password", "grafana-secret-key": "the-key" },
};
let bench: Bench;

beforeAll(async () => {
  bench = await openBench(services.map(({ image }) => image.pin));
}, 300_000);
afterAll(() => bench.clear(), 120_000);

const limited = (definition: ServiceDefinition, limitMb: number): ServiceDefinition => ({
  ...definition,
  memory: { requestMb: 16, limitMb },
});

async function start(definition: ServiceDefinition): Promise<string> {
  const { options, command } = await dockerRunArgs(bench, definition, how);
  return bench.start(definition.name, definition.image.pin, options, command);
}

/** Whether the kernel ended it for its memory. */
const killed = (container: string): Promise<string> =>
  until("its end", 30_000, async () => {
    const state = await docker("inspect", "-f", "{{.State.Status}}, out of memory: {{.State.OOMKilled}}", container);
    return state.startsWith("exited") ? state : undefined;
  });

async function query(container: string): Promise<void> {
  const params = new URLSearchParams({ query: '{container="x"}' });
  const answer = await fetch(
    `http://${await bench.address(container)}:3100/loki/api/v1/query_range?${params.toString()}`,
  );
  expect(answer.status).toBe(200);
}

describe("a limit below what the product was measured to take", () => {
  test.each([
    ["grafana", 320, grafana],
    ["alloy", 256, alloy],
  ] as const)("%s with %i MB is killed when it starts", async (_name, limitMb, definition) => {
    const container = await start(limited(definition, limitMb));
    expect(await killed(container)).toBe("exited, out of memory: true");
    await docker("rm", "-f", container);
  });

  test("loki with 192 MB becomes healthy, and is killed by the first query", async () => {
    const container = await startAsDefined(bench, limited(loki, 192), how);
    await expect(query(container)).rejects.toThrow("fetch failed");
    expect(await killed(container)).toBe("exited, out of memory: true");
    await docker("rm", "-f", container);
  });
});

test.each(services)("$name has room for its health checks at its smaller limit, under load too", async (definition) => {
  const container = await startAsDefined(bench, definition, how);
  if (definition === loki) await query(container);
  const [, ...check] = definition.health.test;
  // Docker's own check may run at the same time.
  for (let i = 0; i < 3; i += 1) await bench.exec(container, ...check);
  expect(await docker("inspect", "-f", "{{.State.Status}} {{.State.OOMKilled}}", container)).toBe("running false");
  await docker("rm", "-f", container);
});
