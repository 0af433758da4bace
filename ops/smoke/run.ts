import { readFileSync } from "node:fs";
import { resolve4 } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { ROOT_CERTIFICATE } from "../../components/services/caddy/config.ts";
import { acmeDirectory, trustOf } from "../../components/service/model/issuer.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { deployedServices } from "../../stacks/catalogue.ts";
import type { StackChoice } from "../deploy/open.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import { StackFile } from "../stack/config-file.ts";
import { SANDBOX } from "../stack/context.ts";
import { batchSsh, serverFault } from "../stack/server-ssh.ts";
import {
  type Answer,
  type Check,
  judge,
  mayStillPass,
  type RequestCheck,
  type Result,
  smokeChecks,
  waitsForCertificate,
  withoutRecord,
} from "./checks.ts";
import { askFromHere } from "./outside.ts";

interface ServerAnswer {
  readonly ages: Readonly<Record<string, number | null>>;
  readonly answers: Readonly<Record<string, Answer>>;
}

const PAUSE_MS = 2_000;

/** On the server: the file of authorities that a client there trusts; null: the certificate is not checked. */
const AUTHORITIES = { own: ROOT_CERTIFICATE, system: "/etc/ssl/certs/ca-certificates.crt", nothing: null } as const;

/**
 * Makes every smoke check of a stack: those on the server in one SSH round trip, those from this machine meanwhile. What
 * fails while a service has only just started is tried again.
 *
 * @param only services whose checks are made @default all of the stack
 */
export async function runSmoke(choice: StackChoice, only?: readonly string[]): Promise<Result[]> {
  const config = requireSshConfig(choice);
  const file = StackFile.read(choice.stack);
  const definitions = deployedServices(file);
  const wanted = definitions.filter(({ name }) => only?.includes(name) ?? true);
  const services = definitions.map(({ name }) => name);
  const edge = await edgeOf(choice, config);
  const checks = smokeChecks(wanted, { domain: requireDomain(file, choice.stack), publicPort: edge.publicPort });
  const isIssued = acmeDirectory(file.issuer) !== undefined;
  const began = Date.now();
  const results = new Map<string, Result>();
  let pending: readonly Check[] = checks;
  for (;;) {
    const { ages, answers } = await answersOf(pending, services, choice.stack, config, edge);
    for (const check of pending) {
      const missing = { status: null, text: "no answer", ms: 0 };
      results.set(check.id, judge(check, answers[check.id] ?? missing));
    }
    if (isIssued) await skipWithoutRecord(pending, results, edge.host);
    const seconds = (Date.now() - began) / 1000;
    pending = pending.filter((check) => {
      if (results.get(check.id)?.outcome !== "failed") return false;
      const answer = answers[check.id];
      return (
        mayStillPass(check, ages) || (isIssued && answer !== undefined && waitsForCertificate(check, answer, seconds))
      );
    });
    if (pending.length === 0) return checks.flatMap(({ id }) => results.get(id) ?? []);
    await pause(PAUSE_MS);
  }
}

/** Of hosts that have no record yet: the authority cannot reach them. */
async function skipWithoutRecord(
  checks: readonly Check[],
  results: Map<string, Result>,
  server: string,
): Promise<void> {
  for (const check of checks) {
    const result = results.get(check.id);
    if (check.place === "inside" || result?.outcome !== "failed") continue;
    const { hostname } = new URL(check.url);
    const addresses = await resolve4(hostname).catch(() => []);
    results.set(check.id, withoutRecord(result, hostname, server, addresses));
  }
}

interface Edge {
  readonly publicPort: number;
  /** Where this machine reaches it. */
  readonly host: string;
  readonly port: number;
}

async function edgeOf({ stack, instance }: StackChoice, config: string): Promise<Edge> {
  if (stack === SANDBOX) {
    const port = (await readWorldFile(instanceOf(instance)))?.port ?? 443;
    return { publicPort: port, host: "127.0.0.1", port };
  }
  const publicPort = Number(process.env["VPAI_PUBLIC_PORT"] ?? 443);
  const [, host = ""] = /^\s*HostName (\S+)$/m.exec(readFileSync(join(PROJECT_ROOT, config), "utf8")) ?? [];
  return { publicPort, host, port: publicPort };
}

function requireDomain({ domain }: StackFile, stack: string): string {
  if (domain !== undefined) return domain;
  throw new OperatorError({
    key: "vpai:domain",
    found: "not set",
    allowed: "the domain that the stack was brought up with",
    fix: `set it in Pulumi.${stack}.yaml`,
  });
}

async function answersOf(
  checks: readonly Check[],
  services: readonly string[],
  stack: string,
  config: string,
  edge: Edge,
): Promise<ServerAnswer> {
  const outside = checks.filter((check): check is RequestCheck => check.place === "outside");
  const [server, ...here] = await Promise.all([
    onServer(checks, services, stack, config),
    ...outside.map(async (check) => [check.id, await askFromHere(check, edge)] as const),
  ]);
  return { ages: server.ages, answers: { ...server.answers, ...Object.fromEntries(here) } };
}

async function onServer(
  checks: readonly Check[],
  services: readonly string[],
  stack: string,
  config: string,
): Promise<ServerAnswer> {
  const plan = {
    services,
    exec: checks.flatMap((check) =>
      check.place === "inside" ? [{ id: check.id, service: check.service, argv: check.argv }] : [],
    ),
    edge: checks.flatMap((check) =>
      check.place === "edge" ? [{ id: check.id, service: check.service, url: check.url }] : [],
    ),
    ca: AUTHORITIES[trustOf(StackFile.read(stack).issuer)],
  };
  const argument = Buffer.from(JSON.stringify(plan)).toString("base64");
  const result = await execa("ssh", [...batchSsh(config), "sudo", "-n", "python3", "-", argument], {
    cwd: PROJECT_ROOT,
    input: await readFile(join(PROJECT_ROOT, "files", "host", "smoke.py"), "utf8"),
    reject: false,
    timeout: 300_000,
  });
  if (result.exitCode === 0) return JSON.parse(result.stdout) as ServerAnswer;
  throw new OperatorError(serverFault(stack, result.stderr || `ssh ended with ${result.exitCode ?? "a signal"}`));
}
