import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "@jest/globals";
import { hostFiles } from "../../../components/vps/bootstrap.ts";

// The bootstrap's look at a server's routes, with an `ip` that answers as iproute2 6.1 does.

const scratch = mkdtempSync(join(tmpdir(), "vpai-routes-"));
afterAll(() => rmSync(scratch, { recursive: true }));

const [checkRoutes = ""] = /^check_routes\(\) \{$[^]*?^\}$/m.exec(hostFiles()["bootstrap.sh"] ?? "") ?? [];

/** @param more routes in 172.20.0.0/16; @param less those that it is in */
function check(more: string, less: string): string {
  const ip = `#!/bin/sh\ncase $4 in root) printf '%b' '${more}' ;; match) printf '%b' '${less}' ;; esac\n`;
  writeFileSync(join(scratch, "ip"), ip, { mode: 0o755 });
  const script = `set -euo pipefail\nfail() { echo "$*"; exit 1; }\n${checkRoutes}\ncheck_routes\n`;
  const env = { ...process.env, PATH: `${scratch}:${process.env["PATH"]}` };
  return spawnSync("bash", ["-c", script], { env, encoding: "utf8", timeout: 20_000 }).stdout;
}

const DEFAULT = "default via 198.51.100.1 dev eth0 proto static \\n";

test.each([
  ["no other route", "", DEFAULT],
  ["networks of Docker", "172.20.1.0/24 dev br-12ab34cd56ef proto kernel scope link src 172.20.1.1 \\n", DEFAULT],
])("%s: nothing to say", (_, more, less) => {
  expect(check(more, less)).toBe("");
});

test.each([
  ["a VPN inside", "172.20.9.0/24 dev wg0 scope link \\n", DEFAULT, "172.20.9.0/24 dev wg0 scope link"],
  [
    "a private network around",
    "",
    `${DEFAULT}172.16.0.0/12 via 10.0.0.1 dev ens10 \\n`,
    "172.16.0.0/12 via 10.0.0.1 dev ens10",
  ],
])("%s: refused, with the route", (_, more, less, route) => {
  expect(check(more, less).trim()).toBe(
    `Docker networks need 172.20.0.0/16, for which this server has the route: ${route}`,
  );
});
