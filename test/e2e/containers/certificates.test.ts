import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { request } from "node:https";
import { join } from "node:path";
import { connect, type PeerCertificate } from "node:tls";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { renderCaddyfile } from "../../../components/services/caddy/config.ts";
import type { Route } from "../../../components/service/model/context.ts";
import { ensureCa } from "../../../sandbox/network/ca.ts";
import { ask } from "../../support/https.ts";
import { until } from "../../support/until.ts";
import { type Bench, docker, openBench, pins } from "../../sandbox/images/container-harness.ts";

// Certificates by ACME: the rendered Caddyfile in the real Caddy, and Pebble, the test authority of Let's Encrypt's makers.
// It is reached under a certificate of an authority that only the host's list has, and finds the hosts by DNS of its own.

const DOMAIN = "certificates.test";
const BUNDLE = "/etc/ssl/certs/ca-certificates.crt";
const HOSTS = { public: `app.${DOMAIN}`, vpn: `admin.${DOMAIN}` };
let bench: Bench;
let edge: string;
let file: string;
let gateway: string;
let port: number;
/** Pebble's own root, which signs what it issues. */
let root: string;
const running: ChildProcess[] = [];

const route = (host: string, audience: Route["audience"]): Route => ({
  host,
  origin: `https://${host}`,
  service: "app",
  // Nothing is there: certificates do not wait for what they are for.
  upstream: "127.0.0.1:9",
  audience,
  healthPath: "/ready",
  upstreamWaitSeconds: 1,
  denyPaths: [],
  oncePaths: [],
});
const caddyfile = (directory?: string): string =>
  renderCaddyfile(DOMAIN, [route(HOSTS.public, "public"), route(HOSTS.vpn, "vpn")], ["192.0.2.0/24"], directory);

/** Starts a program, and waits until it prints that it is ready. */
async function start(command: string, args: readonly string[], ready: RegExp, env = {}): Promise<void> {
  const child = spawn(command, args, { env: { PATH: process.env["PATH"], ...env }, stdio: ["ignore", "pipe", "pipe"] });
  running.push(child);
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => (output += String(chunk)));
  await until(`${command} ready`, 20_000, async () => {
    if (ready.test(output)) return true;
    throw new Error(`exit code ${child.exitCode}: ${output.slice(-1000)}`);
  });
}

/** The certificate that the edge serves for a host. */
const served = (host: string): Promise<PeerCertificate & { authorized: boolean }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, servername: host, ca: root, rejectUnauthorized: false }, () => {
      resolve({ ...socket.getPeerCertificate(), authorized: socket.authorized });
      socket.destroy();
    });
    socket.once("error", reject);
  });

const rootOf = (url: string, ca: string): Promise<string> =>
  new Promise((resolve, reject) => {
    request(url, { ca }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      answer.once("end", () => resolve(text));
    })
      .once("error", reject)
      .end();
  });

beforeAll(async () => {
  bench = await openBench([pins.caddy]);
  const ca = await ensureCa(bench.home);
  const bundle = await bench.file("bundle.crt", ca.certPem, 0, 0o444);
  file = await bench.file("Caddyfile", caddyfile(), 0, 0o644);
  const mounts = ["-v", `${file}:/etc/caddy/Caddyfile:ro`, "-v", `${bundle}:${BUNDLE}:ro`];
  edge = await bench.start("edge", pins.caddy, [...mounts, "-e", `SSL_CERT_FILE=${BUNDLE}`, "-p", "127.0.0.1::443"]);
  port = Number((await docker("port", edge, "443/tcp")).split(":").at(-1));
  gateway = await docker("inspect", "-f", "{{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", edge);

  const issued = await ca.issue([gateway]);
  const [certificate, privateKey] = [join(bench.home, "pebble.crt"), join(bench.home, "pebble.key")];
  await writeFile(certificate, issued.certPem);
  await writeFile(privateKey, issued.keyPem, { mode: 0o600 });
  const listen = { listenAddress: `${gateway}:14000`, managementListenAddress: `${gateway}:15000` };
  const config = join(bench.home, "pebble.json");
  await writeFile(
    config,
    JSON.stringify({ pebble: { ...listen, certificate, privateKey, httpPort: 80, tlsPort: 443 } }),
  );
  const dns = `${gateway}:8053`;
  const off = ["http01", "https01", "tlsalpn01"].flatMap((name) => [`-${name}`, ""]);
  const address = await bench.address(edge);
  await start(
    "pebble-challtestsrv",
    ["-defaultIPv4", address, "-defaultIPv6", "", "-dns01", dns, "-management", `${gateway}:8055`, ...off],
    /DNS-01|management/i,
  );
  await start("pebble", ["-config", config, "-dnsserver", dns], /Listening on/, { PEBBLE_VA_NOSLEEP: "1" });
  root = await rootOf(`https://${gateway}:15000/roots/0`, ca.certPem);
}, 300_000);

afterAll(async () => {
  for (const child of running) {
    const ended = new Promise((resolve) => child.once("exit", resolve));
    if (child.kill()) await ended;
  }
  await bench?.clear();
}, 60_000);

test("with the edge's own authority the certificate is one that no other client trusts, and HSTS is not asked for", async () => {
  const certificate = await until("a certificate", 20_000, () => served(HOSTS.public));
  expect(certificate.authorized).toBe(false);
  expect(certificate.issuer.CN).toMatch(/^Caddy Local Authority/);
  const { headers } = await ask({ port, host: DOMAIN, path: "/health" });
  expect(headers["strict-transport-security"]).toBeUndefined();
});

test("with a directory every host gets a certificate from it, by a reload, the ones for the VPN too", async () => {
  await writeFile(file, caddyfile(`https://${gateway}:14000/dir`));
  await bench.exec(edge, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile");
  for (const host of [DOMAIN, HOSTS.public, HOSTS.vpn]) {
    const certificate = await until(`a certificate for ${host}`, 60_000, async () => {
      const seen = await served(host);
      if (!seen.authorized) throw new Error(`it is of ${seen.issuer?.CN}`);
      return seen;
    });
    expect(certificate.subjectaltname).toBe(`DNS:${host}`);
  }
  const { status, headers } = await ask({ port, host: DOMAIN, path: "/health" });
  expect({ status, hsts: headers["strict-transport-security"] }).toEqual({ status: 200, hsts: "max-age=15552000" });
  expect((await ask({ port, host: HOSTS.vpn, path: "/" })).status).toBe(403);
}, 180_000);

test("certificates outlive the container, and the authority's absence", async () => {
  const before = await served(HOSTS.public);
  for (const child of running) child.kill();
  await docker("restart", edge);
  const certificate = await until("the certificate after a restart", 30_000, async () => {
    port = Number((await docker("port", edge, "443/tcp")).split(":").at(-1));
    return served(HOSTS.public);
  });
  expect(certificate.fingerprint256).toBe(before.fingerprint256);
  expect(certificate.authorized).toBe(true);
}, 60_000);
