import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "@jest/globals";
import { renderCaddyfile } from "../../../components/services/caddy/config.ts";
import type { Route } from "../../../components/service/model/context.ts";
import { ask } from "../../support/https.ts";
import { until } from "../../support/until.ts";
import { openWebSocket } from "../../support/websocket.ts";
import { type Bench, docker, logs, openBench, pins } from "../../sandbox/images/container-harness.ts";

// The rendered Caddyfile in the real Caddy, before an upstream that counts what reaches it.

const DOMAIN = "edge.test";
const HEALTH = "/ready";
let bench: Bench;
let edge: string;
let file: string;
let port: number;
let upstream: Upstream;

/** What the upstream does with a request. */
type Behaviour = "answer" | "503" | "die";

class Upstream {
  behaviour: Behaviour = "answer";
  /** Requests that were received whole, by `METHOD path`. */
  readonly received = new Map<string, number>();
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;

  /** Chosen by the first `listen`, and the same from then on. */
  port = 0;
  readonly host: string;

  constructor(host: string) {
    this.host = host;
  }

  async listen(): Promise<void> {
    const server = createServer((request, response) => {
      const { method = "", url = "" } = request;
      if (url === HEALTH) return void response.end("ready");
      request.resume().once("end", () => {
        this.received.set(`${method} ${url}`, (this.received.get(`${method} ${url}`) ?? 0) + 1);
        if (this.behaviour === "die") return void request.socket.destroy();
        response.writeHead(this.behaviour === "503" ? 503 : 200, { "x-upstream": "here" }).end(this.behaviour);
      });
    });
    server.on("upgrade", (_request, socket) => {
      socket.write("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.on("data", (chunk: Buffer) => socket.write(chunk));
      socket.on("error", () => socket.destroy());
    });
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    await new Promise<void>((resolve) => server.listen(this.port, this.host, resolve));
    this.port = (server.address() as AddressInfo).port;
    this.#server = server;
  }

  /** From then on connections are refused. */
  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

const route = (subdomain: string): Route => ({
  host: `${subdomain}.${DOMAIN}`,
  origin: `https://${subdomain}.${DOMAIN}`,
  service: subdomain,
  upstream: `${upstream.host}:${upstream.port}`,
  audience: "public",
  healthPath: HEALTH,
  upstreamWaitSeconds: 60,
  denyPaths: [],
  oncePaths: ["/webhook*"],
});

const caddyfile = (...subdomains: readonly string[]): string => renderCaddyfile(DOMAIN, subdomains.map(route), []);

beforeAll(async () => {
  bench = await openBench([pins.caddy]);
  const probe = await bench.start("probe", pins.caddy, [], ["caddy", "respond", "--listen", ":80", "up"]);
  upstream = new Upstream(
    await docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", probe),
  );
  await upstream.listen();
  file = await bench.file("Caddyfile", caddyfile("app"), 0, 0o444);
  edge = await bench.start("edge", pins.caddy, ["-v", `${file}:/etc/caddy/Caddyfile:ro`, "-p", "127.0.0.1::443"]);
  port = Number((await docker("port", edge, "443/tcp")).split(":").at(-1));
  await serving("app");
}, 300_000);

beforeEach(() => {
  upstream.behaviour = "answer";
  upstream.received.clear();
});

afterAll(async () => {
  await bench.clear();
  await upstream.close();
});

const app = (path: string, method: "GET" | "POST" = "GET") => ask({ port, host: `app.${DOMAIN}`, path, method });

const serving = (subdomain: string): Promise<boolean> =>
  until(`answers of ${subdomain}`, 20_000, async () => {
    const { status } = await ask({ port, host: `${subdomain}.${DOMAIN}`, path: "/warm-up", timeoutMs: 5_000 });
    if (status !== 200) throw new Error(`status ${status}`);
    return true;
  });

for (const method of ["GET", "POST"] as const) {
  test(`${method}: a 503 of an upstream that is ready is passed on as it is; the request was executed once`, async () => {
    upstream.behaviour = "503";
    const answer = await app("/webhook", method);
    expect(answer).toMatchObject({ status: 503, body: "503", headers: { "x-upstream": "here" } });
    expect([...upstream.received]).toEqual([[`${method} /webhook`, 1]]);
  });

  test(`${method}: an upstream that dies with the request received is not sent it again`, async () => {
    // A request before, whose connection could be kept and used again: Go's client repeats what breaks on such a one.
    await serving("app");
    upstream.received.clear();
    upstream.behaviour = "die";
    expect((await app("/webhook", method)).status).toBe(502);
    expect([...upstream.received]).toEqual([[`${method} /webhook`, 1]]);
  });
}

test("a GET whose answer is lost is sent again where a GET changes nothing; a POST is not", async () => {
  upstream.behaviour = "die";
  const asked = app("/rest/login");
  await until("the first attempt", 10_000, async () => upstream.received.get("GET /rest/login"));
  upstream.behaviour = "answer";
  expect((await asked).status).toBe(200);
  upstream.behaviour = "die";
  expect((await app("/rest/login", "POST")).status).toBe(502);
  expect(upstream.received.get("POST /rest/login")).toBe(1);
});

test("requests wait for an upstream that refuses connections, and each is executed once when it is up", async () => {
  await serving("app");
  upstream.received.clear();
  await upstream.close();
  const requests = [app("/a"), app("/b", "POST"), app("/c"), app("/d", "POST")];
  await until(
    "a refused connection",
    20_000,
    async () => (await logs(edge)).includes("connection refused") || undefined,
  );
  expect(upstream.received.size).toBe(0);
  await upstream.listen();
  expect((await Promise.all(requests)).map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(Object.fromEntries(upstream.received)).toEqual({ "GET /a": 1, "POST /b": 1, "GET /c": 1, "POST /d": 1 });
});

test("a WebSocket of an unchanged route survives a reload", async () => {
  await serving("app");
  const socket = await openWebSocket({ port, host: `app.${DOMAIN}`, path: "/socket" });
  expect(await socket.echo("before")).toBe("before");
  await writeFile(file, caddyfile("app", "another"));
  await bench.exec(edge, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile");
  await serving("another");
  expect(await socket.echo("after")).toBe("after");
  socket.close();
});
