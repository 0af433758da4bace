import { chown, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { recorded } from "../../support/monitoring/recorded.ts";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { docker, logs, openBench } from "./container-harness.ts";
import { gateway, serve, type Served } from "./docker-api.ts";
import { grafanaFiles, grafanaOptions, grafanaPin, startGrafana } from "./grafana-bench.ts";

let bench: Bench;
let container: string;
let url: string;
let store: Served;
let options: readonly string[];
const basic = (password: string) => `Basic ${Buffer.from(`admin:${password}`).toString("base64")}`;
const authorization = basic("the-password");

async function ask(path: string, headers: Readonly<Record<string, string>> = { authorization }, body?: unknown) {
  const sent = body === undefined ? {} : { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(`${url}${path}`, {
    redirect: "manual",
    headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
    ...sent,
  });
  const text = await response.text();
  const json = (response.headers.get("content-type") ?? "").includes("json");
  return { status: response.status, body: json ? (JSON.parse(text) as unknown) : text, headers: response.headers };
}

async function start(): Promise<void> {
  container = await startGrafana(bench, [...options, "-v", `${bench.home}/data:/var/lib/grafana`]);
  url = `http://${await bench.address(container)}:3000`;
}

beforeAll(async () => {
  bench = await openBench([grafanaPin]);
  const host = await gateway(bench);
  store = await serve(
    host,
    (req, res) => res.writeHead(200, { "x-cookie": req.headers.cookie ?? "none" }).end("[]"),
    8428,
  );
  options = [...(await grafanaOptions(bench, "config")), "--add-host", `victoriametrics:${host}`];
  await mkdir(join(bench.home, "data"));
  await chown(join(bench.home, "data"), 472, 472);
  await start();
}, 300_000);
afterAll(async () => {
  await store.close();
  await bench.clear();
});

test("runs locked down as the stack sets it, says that it is a fake, and shows no secret", async () => {
  expect(await ask("/api/health", {})).toMatchObject({ status: 200, body: { database: "ok", version: "13.2.3" } });
  expect(await logs(container)).toContain("Fake of Grafana for the sandbox, version 13.2.3");
  expect(await logs(container)).not.toMatch(/the-password|the-key/);
});

describe("nobody gets in", () => {
  test.each([
    "/api/search",
    "/api/datasources",
    "/api/dashboards/uid/vpai-sample",
    "/api/datasources/proxy/uid/loki/x",
  ])("to %s without an account", async (path) => {
    expect(await ask(path, {})).toMatchObject({ status: 401, body: { message: "Unauthorized" } });
    expect(await ask(path, { authorization: basic("admin") })).toMatchObject({
      status: 401,
      body: { message: "Invalid username or password" },
    });
  });

  test("to a page: it leads to the login", async () => {
    const { status, headers } = await ask("/", {});
    expect([status, headers.get("location")]).toEqual([302, "/login"]);
    expect((await ask("/login", {})).body).toContain("Grafana (sandbox fake)");
  });

  test("with a wrong password or an invented session", async () => {
    expect(await ask("/login", {}, { user: "admin", password: "x" })).toMatchObject({ status: 401 });
    expect(await ask("/api/user", { cookie: "grafana_session=x" })).toMatchObject({ status: 401 });
  });
});

test("a dashboard's file that comes, changes or goes is seen without a restart; a wrong one changes nothing", async () => {
  const folder = join(bench.home, "config/dashboards");
  const uids = async (): Promise<string[]> =>
    ((await ask("/api/search")).body as { uid: string }[]).map(({ uid }) => uid).sort();
  const text = await readFile(join(folder, "vpai-sample.json"), "utf8");
  const other = text
    .replace('"uid": "vpai-sample"', '"uid": "vpai-other"')
    .replace(/"title": "[^"]*"/, '"title": "Other"');
  expect(await uids()).toEqual(["vpai-sample"]);
  await writeFile(join(folder, "other.json"), other);
  await until("both dashboards", 25_000, async () => ((await uids()).length === 2 ? true : undefined));
  await writeFile(join(folder, "other.json"), "{");
  await until("the complaint", 25_000, async () =>
    (await logs(container)).includes("failed to load dashboard") ? true : undefined,
  );
  expect(await uids()).toEqual(["vpai-other", "vpai-sample"]);
  await rm(join(folder, "other.json"));
  await until("one dashboard", 25_000, async () => ((await uids()).length === 1 ? true : undefined));
  expect(await uids()).toEqual(["vpai-sample"]);
}, 90_000);

test("a session is as good as the password, and its cookie is for TLS and no script", async () => {
  const { status, headers, body } = await ask("/login", {}, { user: "admin", password: "the-password" });
  expect([status, body]).toEqual([200, { message: "Logged in", redirectUrl: "/" }]);
  const cookie = headers.get("set-cookie") ?? "";
  expect(cookie).toMatch(/^grafana_session=\w+; Path=\/; Max-Age=2592000; HttpOnly; Secure; SameSite=Lax$/);
  expect(await ask("/api/user", { cookie: cookie.split(";")[0] ?? "" })).toMatchObject({
    status: 200,
    body: { login: "admin", isGrafanaAdmin: true },
  });
});

describe("knows", () => {
  test("both sources under their uids", async () => {
    expect((await ask("/api/datasources")).body).toMatchObject([
      {
        uid: "victoriametrics",
        type: "prometheus",
        url: "http://victoriametrics:8428",
        isDefault: true,
        readOnly: true,
      },
      { uid: "loki", type: "loki", url: "http://loki:3100", isDefault: false },
    ]);
    expect(await ask("/api/datasources/uid/loki")).toMatchObject({ status: 200, body: { name: "Loki" } });
    expect(await ask("/api/datasources/uid/other")).toMatchObject({ status: 404 });
  });

  test("the dashboard out of its file, and that it is out of a file", async () => {
    expect((await ask("/api/search?query=samp")).body).toEqual([
      expect.objectContaining({ uid: "vpai-sample", title: "Sample", url: "/d/vpai-sample/sample", tags: ["vpai"] }),
    ]);
    expect((await ask("/api/search?query=other")).body).toEqual([]);
    expect((await ask("/api/dashboards/uid/vpai-sample")).body).toEqual({
      meta: expect.objectContaining({ provisioned: true, provisionedExternalId: "vpai-sample.json" }) as unknown,
      dashboard: JSON.parse(recorded("dashboard.json")) as unknown,
    });
    expect((await ask("/")).body).toContain("/d/vpai-sample/sample");
    expect((await ask("/d/vpai-sample/sample")).body).toContain("victoriametrics: count(up)");
  });
});

test("hands questions on to a source, without what it knows of who asks", async () => {
  const path = "/api/datasources/proxy/uid/victoriametrics/api/v1/query?query=up%7Ba%3D%22b%22%7D";
  const { status, body, headers } = await ask(path, { authorization, cookie: "grafana_session=x" });
  expect([status, body, headers.get("x-cookie")]).toEqual([200, "[]", "none"]);
  expect(store.asked.at(-1)).toBe("GET /api/v1/query?query=up%7Ba%3D%22b%22%7D");
  // Nobody is called loki here.
  expect(await ask("/api/datasources/proxy/uid/loki/ready")).toMatchObject({ status: 502 });
});

test("metrics have Grafana's names", async () => {
  const { body } = await ask("/metrics", {});
  expect(body).toMatch(/^grafana_build_info\{.*version="13\.2\.3"\} 1$/m);
  expect(body).toMatch(/^grafana_stat_totals_dashboard \d$/m);
  expect(body).toMatch(
    /^grafana_http_request_duration_seconds_count\{handler="\/api\/search",method="GET",status_code="200"\} \d+$/m,
  );
  expect(body).toMatch(
    /^grafana_datasource_request_total\{code="200",datasource="VictoriaMetrics",datasource_type="prometheus",method="GET"\} \d+$/m,
  );
});

describe("what is made by hand", () => {
  const dashboard = { ...(JSON.parse(recorded("dashboard.json")) as object), uid: "own", title: "Own" };

  test("cannot stand in for what comes out of a file, nor name a source that is not there", async () => {
    const taken = { ...dashboard, uid: "vpai-sample" };
    expect(await ask("/api/dashboards/db", undefined, { dashboard: taken, overwrite: true })).toMatchObject({
      status: 400,
      body: { message: "Cannot save provisioned dashboard" },
    });
    const lost = JSON.parse(JSON.stringify(dashboard).replaceAll('"loki","uid":"loki"', '"loki","uid":"x"')) as unknown;
    expect(await ask("/api/dashboards/db", undefined, { dashboard: lost })).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('datasource loki with uid "x" was not found') as unknown },
    });
  });

  test("is there after a restart, and so is the password, whatever its file says by then", async () => {
    expect(await ask("/api/dashboards/db", undefined, { dashboard })).toMatchObject({
      status: 200,
      body: { uid: "own" },
    });
    await docker("rm", "-f", container);
    await grafanaOptions(bench, "config", { ...grafanaFiles, "secrets/admin-password": "another" });
    await start();
    expect(await ask("/api/dashboards/uid/own")).toMatchObject({ status: 200, body: { meta: { provisioned: false } } });
    expect((await ask("/api/user", { authorization: basic("another") })).status).toBe(401);
  });

  test("is not read with another key", async () => {
    const other = await grafanaOptions(bench, "other", { ...grafanaFiles, "secrets/secret-key": "other" });
    const { code, output } = await bench.once(grafanaPin, [...other, "-v", `${bench.home}/data:/var/lib/grafana`]);
    expect([code, output]).toEqual([1, expect.stringContaining("GF_SECURITY_SECRET_KEY is not the one")]);
  });
});

test("says what it does not do", async () => {
  expect(await ask("/api/ds/query", undefined, {})).toMatchObject({
    status: 404,
    body: "POST /api/ds/query: the sandbox's fake of Grafana does not do this\n",
  });
});
