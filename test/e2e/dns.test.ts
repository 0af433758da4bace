import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { markerOf } from "../../components/dns/plan.ts";
import { type DnsRecord, ZONE_RECORDS } from "../../components/dns/record.ts";
import { run, RunError } from "../../shared/exec.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { ensureToolchain } from "../../toolchain/toolchain.ts";
import { CREDENTIALS, FOREIGN, type OvhWorld, startOvhWorld } from "../support/dns/ovh-world.ts";

const BUILD_MS = 25 * 60_000;
const MINUTES = 5 * 60_000;

/** Only the records of a zone, by the real engine. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import { ZoneRecords } from "./components/dns/zone-records.ts";
new ZoneRecords("dns", JSON.parse(readFileSync("records.json", "utf8")));
`;

const PROJECT = `name: vpai
main: index.js
runtime:
  name: nodejs
  options: { typescript: false, nodeargs: "--disable-warning=ExperimentalWarning" }
`;

const A = (name: string, value = "203.0.113.7"): DnsRecord => ({ name, type: "A", value, ttl: 300 });
const RECORDS = [
  { name: "_vpai.ai", type: "TXT", value: markerOf("prod"), ttl: 300 },
  ...Array.from({ length: 99 }, (_, i) => A(`host-${i}.ai`)),
];

let world: OvhWorld;
let directory = "";
let env: Record<string, string> = {};

beforeAll(async () => {
  const toolchain = await ensureToolchain((line) => console.log(line));
  world = await startOvhWorld({ perSecond: 1_000_000 });
  directory = mkdtempSync(join(tmpdir(), "vpai-dns-"));
  writeFileSync(join(directory, "Pulumi.yaml"), PROJECT);
  writeFileSync(join(directory, "package.json"), '{"type": "module"}');
  writeFileSync(join(directory, "index.js"), PROGRAM);
  for (const folder of ["components", "shared"])
    cpSync(join(PROJECT_ROOT, folder), join(directory, folder), { recursive: true });
  symlinkSync(join(PROJECT_ROOT, "node_modules"), join(directory, "node_modules"));
  mkdirSync(join(directory, "state"));
  env = {
    ...toolchain.env,
    PULUMI_BACKEND_URL: `file://${join(directory, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "x",
    NODE_EXTRA_CA_CERTS: world.ca.certFile,
    VPAI_DNS_SERVERS: world.authority.server,
  };
  await pulumi("stack", "init", "prod");
  const secrets = Object.entries(CREDENTIALS).flatMap(([key, value]) => ["--secret", `vpai:${key}=${value}`]);
  await pulumi("config", "set-all", "--stack", "prod", ...secrets);
}, BUILD_MS);

afterAll(async () => {
  await world?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function pulumi(...args: readonly string[]): Promise<string> {
  try {
    return (await run("pulumi", [...args, "--non-interactive"], { cwd: directory, env })).stdout;
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    throw new Error(`pulumi ${args[0]} failed:\n${error.stdout}\n${error.stderr}`);
  }
}

async function up(records: readonly DnsRecord[], ...flags: readonly string[]): Promise<string> {
  writeFileSync(join(directory, "records.json"), JSON.stringify({ ...world.place, records }));
  return pulumi("up", "--yes", "--skip-preview", "--stack", "prod", ...flags);
}

const refreshes = (): number =>
  world.requests.filter((each) => each.startsWith("POST") && each.endsWith("/refresh")).length;
const served = (name: string): string[] =>
  world.zone.served.flatMap(({ subDomain, target }) => (subDomain === name ? [target] : []));

test(
  "a hundred records in one run, with one refresh; the state shows no key, and the next run changes nothing",
  async () => {
    expect(await up(RECORDS)).toContain("2 created");
    expect([refreshes(), world.zone.served.length]).toEqual([1, FOREIGN.length + RECORDS.length]);
    world.requests.length = 0;
    await up(RECORDS, "--expect-no-changes");
    expect(world.requests).toEqual([]);
    const text = await pulumi("stack", "export", "--stack", "prod");
    for (const secret of Object.values(CREDENTIALS)) expect(text).not.toContain(secret);
    const revealed = JSON.parse(await pulumi("stack", "export", "--show-secrets", "--stack", "prod")) as {
      deployment: { resources: { type: string }[] };
    };
    const resource = JSON.stringify(revealed.deployment.resources.filter(({ type }) => type === ZONE_RECORDS));
    expect(resource).toContain(world.authority.server);
    for (const secret of Object.values(CREDENTIALS)) expect(resource).not.toContain(secret);
  },
  MINUTES,
);

test(
  "a record edited by hand is seen by a refresh, and put right by the next run",
  async () => {
    const { zone } = world;
    zone.records = zone.records.map((each) =>
      each.subDomain === "host-7.ai" ? { ...each, target: "192.0.2.66" } : each,
    );
    zone.served = zone.records;
    expect(await pulumi("refresh", "--yes", "--skip-preview", "--stack", "prod")).toContain("1 updated");
    expect(await up(RECORDS)).toContain("1 updated");
    expect(served("host-7.ai")).toEqual(["203.0.113.7"]);
  },
  MINUTES,
);

test(
  "a name that another owner has stops the run, with both values, before the zone is written",
  async () => {
    world.requests.length = 0;
    await expect(up([...RECORDS, A("www")])).rejects.toThrow(
      /DNS record www\.example\.com: A 198\.51\.100\.80, which this stack did not write\s+allowed: A 203\.0\.113\.7/,
    );
    expect(world.requests.filter((each) => !each.startsWith("GET "))).toEqual([]);
  },
  MINUTES,
);

test(
  "another address is written in one batch; what is no longer wanted goes",
  async () => {
    world.requests.length = 0;
    await up(RECORDS.slice(0, 11).map((each) => (each.type === "A" ? A(each.name, "203.0.113.8") : each)));
    expect([refreshes(), world.zone.served.length]).toEqual([1, FOREIGN.length + 11]);
    expect(served("host-3.ai")).toEqual(["203.0.113.8"]);
  },
  MINUTES,
);

test(
  "destroy leaves the zone as it was",
  async () => {
    await pulumi("destroy", "--yes", "--skip-preview", "--stack", "prod");
    expect([world.zone.records, world.zone.served]).toEqual([FOREIGN, FOREIGN]);
  },
  MINUTES,
);
