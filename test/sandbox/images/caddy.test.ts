import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import type { Bench } from "./container-harness.ts";
import { openBench, pins, untilExec } from "./container-harness.ts";

const site = (text: string) => `:80 {\n  respond "${text}"\n}\nhttp://127.0.0.1:8081 {\n  respond /health "ok"\n}\n`;
const locked = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only"];
let bench: Bench;

beforeAll(async () => {
  bench = await openBench([pins.caddy]);
}, 300_000);
afterAll(() => bench.clear(), 120_000);

test("serves as an ordinary user, locked down, and reloads without a restart", async () => {
  const file = await bench.file("Caddyfile", site("one"), 1000);
  const mounts = ["-v", `${file}:/etc/caddy/Caddyfile:ro`, "--tmpfs", "/data:uid=1000", "--tmpfs", "/config:uid=1000"];
  const ports = ["--sysctl", "net.ipv4.ip_unprivileged_port_start=0"];
  const container = await bench.start("caddy", pins.caddy, [
    ...locked,
    ...ports,
    "--cap-add",
    "NET_BIND_SERVICE",
    "--user",
    "1000:1000",
    ...mounts,
  ]);
  expect(await untilExec(container, "wget", "-qO-", "http://127.0.0.1:8081/health")).toBe("ok");
  const url = `http://${await bench.address(container)}/`;
  expect(await (await fetch(url)).text()).toBe("one");
  await writeFile(file, site("two"));
  await bench.exec(container, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile");
  await until("the reloaded answer", 5_000, async () =>
    (await (await fetch(url)).text()) === "two" ? true : undefined,
  );
});

test("issues certificates by its internal authority", async () => {
  const file = await bench.file("Tls", "https://caddy {\n  tls internal\n  respond secure\n}\n", 1000);
  const container = await bench.start("tls", pins.caddy, ["-v", `${file}:/etc/caddy/Caddyfile:ro`]);
  const ca = await untilExec(container, "cat", "/data/caddy/pki/authorities/local/root.crt");
  const host = await bench.address(container);
  const subject = await until("a certificate that this authority vouches for", 10_000, () => subjectOf(host, ca));
  expect(subject).toBe("DNS:caddy");
});

function subjectOf(host: string, ca: string): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: 443, servername: "caddy", ca }, () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

test("refuses a faulty file", async () => {
  const file = await bench.file("Faulty", ":80 {\n  rate_limit 1\n}\n", 1000, 0o444);
  const { code, output } = await bench.once(
    pins.caddy,
    ["-v", `${file}:/f:ro`],
    ["caddy", "validate", "--config", "/f", "--adapter", "caddyfile"],
  );
  expect([code, output]).toEqual([1, expect.stringContaining("unrecognized directive: rate_limit")]);
});

test("cannot start without the capability that its program carries, as upstream's cannot", async () => {
  const { code, output } = await bench.once(pins.caddy, ["--cap-drop", "ALL"], ["caddy", "version"]);
  expect([code === 0, output]).toEqual([false, expect.stringContaining("operation not permitted")]);
});

test("is the version that its module pins", async () => {
  const module = await readFile(join(import.meta.dirname, "../../../sandbox/images/caddy/program/go.mod"), "utf8");
  const [, pinned] = /caddyserver\/caddy\/v2 (v\S+)/.exec(module) ?? [];
  const { output } = await bench.once(pins.caddy, [], ["caddy", "version"]);
  expect(output.split(" ")[0]).toBe(pinned);
});
