import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { expect, jest, test } from "@jest/globals";
import { renderHostTable } from "../../components/host/firewall/host-table.ts";
import { planFirewall } from "../../components/host/firewall/plan.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { DEFAULT_SERVICES as catalogue } from "../support/core.ts";
import { sample } from "../support/sample.ts";

const { ports } = planFirewall({
  definitions: [
    ...catalogue,
    { ...sample, name: "admin", publish: [{ port: 9443, protocol: "tcp", audience: "vpn" }] },
  ],
  sshdPorts: [2222],
  cidrs: { ssh: ["198.51.100.0/24", "2001:db8:1::/48"], vpn: ["100.64.0.0/10", "fd7a:115c:a1e0::/48"] },
  enforcement: "host",
});

const office = ["198.51.100.7", "2001:db8:1::7"];
const vpn = ["100.64.0.7", "fd7a:115c:a1e0::7"];
const all = [...office, ...vpn, "203.0.113.9", "2001:db8:2::9"];

/** Who is answered at the server's ports; a container publishes 8080 by itself, 22 and 5432 are the host's. */
const SERVER: readonly (readonly [protocol: string, port: number, answered: readonly string[]])[] = [
  ["tcp", 2222, office],
  ["tcp", 80, all],
  ["tcp", 443, all],
  ["udp", 443, all],
  ["tcp", 9443, vpn],
  ["tcp", 8080, []],
  ["tcp", 22, []],
  ["tcp", 5432, []],
  ["udp", 2222, []],
];

type LabProbe = readonly [protocol: string, source: string, server: string, port: number];

const isV6 = (source: string): boolean => source.includes(":");
const probes: readonly { readonly probe: LabProbe; readonly expected: boolean }[] = [
  ...SERVER.flatMap(([protocol, port, answered]) =>
    all.map((source) => ({
      probe: [protocol, source, isV6(source) ? "2001:db8::1" : "192.0.2.1", port] as const,
      expected: answered.includes(source),
    })),
  ),
  // The container's own addresses, which a machine of the same network may know.
  ...all.map((source) => ({
    probe: ["tcp", source, isV6(source) ? "fd00:20::2" : "172.20.1.2", 443] as const,
    expected: false,
  })),
];

/** The probes that are answered where the table is in force. */
function answeredWith(table: string): LabProbe[] {
  const lab = join(PROJECT_ROOT, "test/support/firewall-lab.py");
  const stdout = execFileSync("unshare", ["--net", "python3", lab], {
    input: JSON.stringify({ table, probes: probes.map(({ probe }) => probe) }),
    encoding: "utf8",
    timeout: 120_000,
    env: { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` },
  });
  const answers = JSON.parse(stdout) as boolean[];
  return probes.flatMap(({ probe }, i) => (answers[i] ? [probe] : []));
}

jest.setTimeout(120_000);

test("without the table the kernel lets every probe in", () => {
  expect(answeredWith("")).toEqual(probes.map(({ probe }) => probe));
});

test("with the host's table the kernel lets in what is declared, to the host and to containers, and nothing else", () => {
  expect(answeredWith(renderHostTable({ ports, vpn: [] }))).toEqual(
    probes.flatMap(({ probe, expected }) => (expected ? [probe] : [])),
  );
});
