import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { catalogue } from "../../stacks/catalogue.ts";
import type { Checkout } from "../support/checkout.ts";
import { ConvergedServer, LIGHT } from "../support/converged.ts";
import { keepServices, LIGHT_SERVICES } from "../support/core.ts";
import { ask } from "../support/https.ts";
import type { SandboxStack } from "../support/stack.ts";
import { until } from "../support/until.ts";

// A service comes and goes: those that are told of it (the edge, Redis, Alloy, Grafana, DIUN) take that while they run.
// On a converged server without the products that are slow to start; one test, since going back to it costs more than it.

const [MINUTE, DOMAIN] = [60_000, "vpai.localhost"];
let server: ConvergedServer;
let checkout: Checkout;
let stack: SandboxStack;
let port: number;
let grafanaPassword: string;
let redisPassword: string;
let before: Record<string, string>;

const keep = (services: readonly string[]): Promise<void> => keepServices(checkout, services);

beforeAll(async () => {
  server = await ConvergedServer.open(LIGHT);
  ({ checkout, stack } = server);
  ({ port } = await stack.world());
  const secrets = await stack.secrets();
  grafanaPassword = secrets["grafana-admin-password"] ?? "";
  redisPassword = secrets["redis-exporter-cache"] ?? "";
  before = await stack.containers();
}, 30 * MINUTE);

afterAll(() => server.close());

/** Converges the stack without these services. */
async function takeOut(...services: readonly string[]): Promise<void> {
  await keep(LIGHT_SERVICES.filter((name) => !services.includes(name)));
  await checkout.expectVpai(["up", "--stack", "sandbox"]);
}

const dashboards = async (): Promise<string[]> => {
  const authorization = `Basic ${Buffer.from(`admin:${grafanaPassword}`).toString("base64")}`;
  const { body } = await ask({ port, host: `grafana.${DOMAIN}`, path: "/api/search", headers: { authorization } });
  return (JSON.parse(body) as { uid: string }[]).map(({ uid }) => uid).toSorted();
};
const declared = (services: readonly string[]): string[] =>
  catalogue
    .filter(({ name }) => services.includes(name))
    .flatMap((service) => service.dashboards.map(({ uid }) => uid))
    .toSorted();
const jobs = async (): Promise<string[]> =>
  ((await stack.results("metrics", "up == 1")) as { metric: { job: string } }[])
    .map(({ metric }) => metric.job)
    .toSorted();
const scraped = (services: readonly string[]): string[] =>
  catalogue.flatMap(({ name, metrics }) => ("reason" in metrics || !services.includes(name) ? [] : [name])).toSorted();
const untilIs = <T>(what: string, wanted: T, now: () => Promise<T>): Promise<T> =>
  until(what, MINUTE, async () => {
    const seen = await now();
    if (JSON.stringify(seen) !== JSON.stringify(wanted)) throw new Error(`seen: ${JSON.stringify(seen)}`);
    return seen;
  });
/** What Redis says to the exporter's account, which may do other things than this. */
const asExporter = (password: string): Promise<string> =>
  stack.onServer(
    `docker exec --env REDISCLI_AUTH=${password} redis redis-cli --user redis-exporter --no-auth-warning ping 2>&1`,
  );

test(
  "services that are taken out go alone, with targets, dashboards, accounts and routes, and come back beside the others",
  async () => {
    await untilIs("targets", scraped(LIGHT_SERVICES), jobs);
    expect(await dashboards()).toEqual(declared(LIGHT_SERVICES));
    expect(await asExporter(redisPassword)).toContain("NOPERM");
    const { "redis-exporter": _exporter, ...withoutExporter } = before;
    await takeOut("redis-exporter");
    const left = LIGHT_SERVICES.filter((name) => name !== "redis-exporter");
    expect(await stack.containers()).toEqual(withoutExporter);
    expect(await asExporter(redisPassword)).toMatch(/WRONGPASS|NOAUTH/);
    expect(await stack.onServer("cat /opt/vpai/config/diun/images.yml")).not.toContain("redis_exporter");
    await untilIs("targets", scraped(left), jobs);
    await untilIs("dashboards", declared(left), dashboards);

    const about = { port, host: `grafana.${DOMAIN}`, path: "/api/health" };
    expect((await ask(about)).status).toBe(200);
    const { grafana: _grafana, ...rest } = withoutExporter;
    await takeOut("grafana", "redis-exporter");
    expect(await stack.containers()).toEqual(rest);
    await expect(ask(about).then(({ status }) => `answered ${status}`)).rejects.toThrow();

    await keep(LIGHT_SERVICES);
    await checkout.expectVpai(["up", "--stack", "sandbox"]);
    const after = await stack.containers();
    expect(Object.keys(after).toSorted()).toEqual(LIGHT_SERVICES);
    const changed = LIGHT_SERVICES.filter((name) => after[name] !== before[name]);
    expect(changed).toEqual(["grafana", "redis-exporter"]);
    // No data depends on an account's password, so it is a new one.
    const { "redis-exporter-cache": password = "" } = await stack.secrets();
    expect(password).not.toBe(redisPassword);
    expect(await asExporter(password)).toContain("NOPERM");
    await untilIs("dashboards", declared(LIGHT_SERVICES), dashboards);
  },
  6 * MINUTE,
);
