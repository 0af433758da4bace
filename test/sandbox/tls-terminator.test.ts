import { mkdtemp, rm } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type Ca, ensureCa } from "../../sandbox/network/ca.ts";
import { type Front, startFront } from "../../sandbox/network/tls-terminator.ts";

const site = (...names: readonly string[]) => ({
  names,
  answer: (asked: IncomingMessage, response: ServerResponse) =>
    void response.end(`${names[0]} was asked ${asked.url} by ${asked.headers.host}`),
});
let home: string;
let ca: Ca;
let front: Front;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-front-test-"));
  ca = await ensureCa(home);
  front = await startFront({
    host: "127.0.0.1",
    port: 0,
    ca,
    sites: [site("a.example", "b.example"), site("c.example")],
  });
});
afterAll(async () => {
  await front.close();
  await rm(home, { recursive: true });
});

const ask = (servername: string, host: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const where = { host: "127.0.0.1", port: front.port, servername, ca: ca.certPem, agent: false as const };
    request({ ...where, path: "/x", headers: { host } }, (answer) => {
      let body = `${answer.statusCode} `;
      answer.setEncoding("utf8").on("data", (part: string) => (body += part));
      answer.once("end", () => resolve(body.trim()));
    })
      .once("error", reject)
      .end();
  });

test("the Host header says who answers, whatever its case and port", async () => {
  expect(await ask("a.example", "B.example:443")).toBe("200 a.example was asked /x by B.example:443");
  expect(await ask("c.example", "c.example")).toBe("200 c.example was asked /x by c.example");
});

test("nobody else is answered for", async () => {
  expect(await ask("a.example", "d.example")).toBe("421 the sandbox is not d.example");
  await expect(ask("d.example", "d.example")).rejects.toThrow("Hostname/IP does not match");
});

test("a port that is taken is an error", async () => {
  await expect(startFront({ host: "127.0.0.1", port: front.port, ca, sites: [] })).rejects.toThrow("EADDRINUSE");
});
