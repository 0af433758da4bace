import { describe, expect, test } from "@jest/globals";
import { ISOLATED } from "../../../components/host/networks.ts";
import { hostFiles } from "../../../components/vps/bootstrap.ts";
import { images } from "../../../components/images.ts";
import { planConnections } from "../../../components/service/plan/connections.ts";
import { filesOf } from "../../../components/service/plan/files.ts";
import { memoryMb } from "../../../components/service/plan/memory.ts";
import { testContext } from "../../support/context.ts";
import { catalogue } from "../../../stacks/catalogue.ts";

const [, neededCpus] = /"\$\(nproc\)" -ge (\d+)/.exec(hostFiles()["bootstrap.sh"] ?? "") ?? [];
const by = new Map(catalogue.map((definition) => [definition.name, definition]));

describe.each([...by])("%s", (name, definition) => {
  test("its image is the one of the list, pinned, with what a newer version looks like", () => {
    const image = images[name as keyof typeof images];
    expect(definition.image).toBe(image);
    const [, tag = ""] = /:([^:@]+)@sha256:[0-9a-f]{64}$/.exec(image.pin) ?? [];
    expect(tag).toMatch(new RegExp(image.versions));
  });

  test("it is checked, limited and ended in order", () => {
    const { health, pids, cpus, stopGraceSeconds } = definition;
    const [standard, small] = [memoryMb(definition, "standard"), memoryMb(definition, "small")];
    expect(health.test.length).toBeGreaterThan(1);
    // A probe that cannot fail proves nothing: the predecessor's `kill -0 1` and `caddy version` (weak points, §1.2).
    expect(health.test.join(" ")).not.toMatch(/kill -0|caddy version|^CMD true$/);
    // P17: `localhost` may mean ::1 first.
    expect(health.test.join(" ")).not.toContain("localhost");
    expect(health.deadlineSeconds).toBeGreaterThan(health.startPeriodSeconds);
    expect(Math.min(pids, cpus * 100, small.request, stopGraceSeconds)).toBeGreaterThan(9);
    // Docker refuses more CPUs than the server has, and the bootstrap a server that has fewer.
    expect(cpus).toBeLessThanOrEqual(Number(neededCpus));
    expect(small.limit).toBeLessThanOrEqual(standard.limit);
    expect(small.request).toBeLessThanOrEqual(standard.request);
  });

  test("what it keeps is saved, or it says why not", () => {
    const keeps = (definition.data ?? []).length > 0 || definition.database !== undefined;
    const { backup } = definition;
    expect(keeps && "reason" in backup ? backup.reason.length > 20 : true).toBe(true);
    if (!("reason" in backup)) expect(backup.items.length).toBeGreaterThan(0);
  });

  test("its metrics are declared, or why there are none; a route never shows them", () => {
    const { metrics, route } = definition;
    if ("reason" in metrics) expect(metrics.reason.length).toBeGreaterThan(10);
    else if (route && metrics.port === undefined) {
      const path = metrics.path ?? "/metrics";
      const matches = (denied: string): boolean =>
        denied.endsWith("*") ? path.startsWith(denied.slice(0, -1)) : denied === path;
      expect({ path, denied: (route.denyPaths ?? []).some(matches) }).toEqual({ path, denied: true });
    }
  });

  test("somebody can ask whether it does its job, from outside where its route is public", () => {
    expect(definition.smoke.length).toBeGreaterThan(0);
    if (definition.route?.audience === "public") expect(definition.smoke.some((check) => "url" in check)).toBe(true);
  });

  test("its alerts and dashboards have names of their own", () => {
    const names = catalogue.flatMap(({ alerts }) => alerts.map((alert) => alert.name));
    const uids = catalogue.flatMap(({ dashboards }) => dashboards.map(({ uid }) => uid));
    expect([new Set(names).size, new Set(uids).size]).toEqual([names.length, uids.length]);
  });
});

test("every service is in the catalogue once, and every image has its service", () => {
  expect([...by.keys()].toSorted()).toEqual(Object.keys(images).toSorted());
  expect(by.size).toBe(catalogue.length);
});

test("who can connect to whom: nobody but Alloy reaches Docker's socket, nobody outside the backend the data", () => {
  const to = (service: string): string[] =>
    [
      ...new Set(planConnections(catalogue, ISOLATED).flatMap((each) => (each.to === service ? [each.from] : []))),
    ].sort();
  expect(to("socket-proxy")).toEqual(["alloy"]);
  expect(to("postgresql")).toEqual(
    "alloy caddy litellm n8n openclaw postgres-exporter qdrant redis redis-exporter".split(" "),
  );
  expect(to("grafana")).toEqual(
    "alloy caddy cadvisor headscale loki node-exporter postgres-exporter redis-exporter victoriametrics".split(" "),
  );
  expect(to("diun")).toEqual([]);
});

test("members of an isolated network name each other with the network that they meet on", () => {
  const context = testContext();
  for (const definition of catalogue) {
    const shared = catalogue.filter(
      ({ name, networks }) =>
        name !== definition.name && networks.some((each) => ISOLATED.has(each) && definition.networks.includes(each)),
    );
    const files = filesOf(definition, context).map(({ content }) => content(context, (secret) => `<${secret}>`));
    const environment = Object.values(definition.environment?.(context) ?? {});
    const commands = definition.smoke.flatMap((check) => ("exec" in check ? check.exec : []));
    const text = [...files, ...environment, ...commands].join("\n");
    const plain = shared.filter(({ name }) => new RegExp(`[/@]${name}[:/]\\d`).test(text)).map(({ name }) => name);
    expect({ of: definition.name, plain }).toEqual({ of: definition.name, plain: [] });
  }
});

test("a panel queries the datasource that its expression is written for", () => {
  const panels = catalogue.flatMap(({ dashboards }) => dashboards.flatMap((dashboard) => dashboard.panels));
  expect(panels.filter(({ datasource }) => datasource === "logs").length).toBeGreaterThan(5);
  for (const { title, datasource, queries } of panels) {
    for (const { expr } of queries) {
      // Alloy's label `container` is on log streams alone.
      expect([title, datasource]).toEqual([title, /\{container\W/.test(expr) ? "logs" : "metrics"]);
    }
  }
});

test("a smoke check from outside asks the public origin, port included", () => {
  const context = testContext({ publicPort: 8443 });
  const urls = catalogue.flatMap(({ smoke }) => smoke.flatMap((check) => ("url" in check ? [check.url(context)] : [])));
  expect(urls.length).toBeGreaterThan(2);
  for (const url of urls) expect(url).toMatch(/^https:\/\/([a-z0-9-]+\.)?ai\.example\.com:8443\//);
});
