import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import pino from "pino";
import { planAptRequest, startAptProxy } from "../../../sandbox/network/apt-proxy.ts";

describe("a request for Debian's archive", () => {
  test.each([
    ["deb.debian.org", "/debian/pool/main/d/dash/dash_0.5.12-2_amd64.deb", "immutable"],
    ["deb.debian.org:80", "/debian/dists/bookworm/InRelease", "fresh"],
    ["DEB.debian.org", "/debian//dists/bookworm/main/binary-amd64/by-hash/SHA256/0a1b", "immutable"],
    ["security.debian.org", "/debian-security/dists/bookworm-security/InRelease", "fresh"],
  ])("to %s for %s is %s", (host, url, kind) => {
    const plan = planAptRequest("GET", host, url);
    const path = url.replace("//", "/");
    const name = host.toLowerCase().replace(":80", "");
    expect(plan).toEqual({ kind, upstream: `http://${name}${path}`, file: `${name}${path}` });
  });

  test.each([
    ["GET", "example.org", "/debian/dists/bookworm/InRelease"],
    ["GET", "", "/debian/dists/bookworm/InRelease"],
    ["GET", "deb.debian.org", "/debian-security/dists/x"],
    ["GET", "deb.debian.org", "/debian/"],
    ["GET", "deb.debian.org", "/debian/dists/../../../../etc/passwd"],
    ["GET", "deb.debian.org", "/debian/dists/%2e%2E/%2e%2e/etc/passwd"],
    ["GET", "deb.debian.org", "/debian/dists/..%2f..%2fetc/passwd"],
    ["GET", "deb.debian.org", "http://deb.debian.org/debian/dists/bookworm/InRelease"],
    ["GET", "deb.debian.org", "/debian/dists/bookworm/InRelease?x"],
    ["POST", "deb.debian.org", "/debian/dists/bookworm/InRelease"],
    ["GET", "constructor", "/debian/dists/bookworm/InRelease"],
  ])("%s %s%s is refused", (method, host, url) => {
    expect(planAptRequest(method, host, url)).toEqual({ kind: "forbidden" });
  });
});

describe("the proxy", () => {
  const port = 18_080;
  let cache: string;
  const asked: string[] = [];
  const away = () => Promise.reject<Response>(new TypeError("fetch failed"));
  let upstream: () => Promise<Response> = away;
  let proxy: { close(): Promise<void> };

  beforeAll(async () => {
    cache = await mkdtemp(join(tmpdir(), "apt-proxy-"));
    await mkdir(join(cache, "deb.debian.org/debian/pool/main"), { recursive: true });
    await writeFile(join(cache, "deb.debian.org/debian/pool/main/kept.deb"), "kept");
    const ask = (url: string | URL | Request) => {
      asked.push(String(url));
      return upstream();
    };
    proxy = await startAptProxy({ host: "127.0.0.1", port, cache, log: pino({ level: "silent" }), ask });
  });

  afterAll(async () => {
    await proxy.close();
    await rm(cache, { recursive: true });
  });

  const get = (path: string, headers: Record<string, string>) =>
    new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request({ host: "127.0.0.1", port, path, headers }, (answer) => {
        text(answer).then((body) => resolve({ status: answer.statusCode, body }), reject);
      })
        .on("error", reject)
        .end();
    });

  test("gives what it keeps without asking upstream, and knows when the caller has it", async () => {
    const path = "/debian/pool/main/kept.deb";
    expect(await get(path, { host: "deb.debian.org" })).toEqual({ status: 200, body: "kept" });
    const since = { host: "deb.debian.org", "if-modified-since": new Date(Date.now() + 1000).toUTCString() };
    expect(await get(path, since)).toEqual({ status: 304, body: "" });
  });

  test("gives the newest index while upstream answers, and the last one when it does not", async () => {
    const path = "/debian/dists/bookworm/InRelease";
    const headers = { host: "deb.debian.org" };
    upstream = away;
    expect((await get(path, headers)).status).toBe(502);
    upstream = () => Promise.resolve(new Response("one"));
    expect(await get(path, headers)).toEqual({ status: 200, body: "one" });
    upstream = () => Promise.resolve(new Response("two"));
    expect(await get(path, headers)).toEqual({ status: 200, body: "two" });
    for (const trouble of [away, () => Promise.resolve(new Response("", { status: 503 }))]) {
      upstream = trouble;
      expect(await get(path, headers)).toEqual({ status: 200, body: "two" });
    }
    expect(new Set(asked)).toEqual(new Set([`http://deb.debian.org${path}`]));
  });

  test("keeps nothing that did not come whole, and passes on that there is no such file", async () => {
    const path = "/debian/pool/main/cut.deb";
    upstream = () => Promise.resolve(new Response("half", { headers: { "content-length": "8" } }));
    expect((await get(path, { host: "deb.debian.org" })).status).toBe(502);
    upstream = () => Promise.resolve(new Response("", { status: 404 }));
    expect((await get(path, { host: "deb.debian.org" })).status).toBe(404);
  });

  test("refuses what is not Debian's", async () => {
    expect((await get("/x", { host: "example.org" })).status).toBe(403);
  });
});
