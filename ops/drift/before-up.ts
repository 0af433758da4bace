import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { execa } from "execa";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { pulumiOutput } from "../engine/run.ts";
import type { StackContext } from "../stack/context.ts";
import type { Drift } from "./drift.ts";
import type { Expected } from "./expected.ts";
import { lockOutFault } from "./lock-out.ts";
import { inspect, type Inspection, sshWords } from "./inspect.ts";
import { planRepair, type RepairPlan } from "./repair-plan.ts";
import { powerOn } from "./server-status.ts";
import { driftTable, renderRepaired } from "./table.ts";

export interface UpInspection {
  readonly context: StackContext;
  readonly report: (line: string) => void;
  /** Runs `up` with these flags. */
  readonly up: (flags: readonly string[]) => Promise<unknown>;
}

/** An `up` of a server that was inspected. */
export interface InspectedUp {
  /** Flags for a preview: what is known before anything is repaired. */
  readonly flags: readonly string[];
  /** Does what must be done before the engine runs; returns the flags to run it with. */
  readonly repair: () => Promise<readonly string[]>;
  /** After the engine's run: inspects the server again, and reports what was repaired. */
  readonly verify: () => Promise<void>;
  /** What the last run recorded, where the server has all of it. */
  readonly expected?: Expected;
}

/**
 * Inspects the server before an `up`, and shows what differs.
 *
 * @throws OperatorError when something is lost that no run can bring back, or the server does not answer
 */
export async function inspectBeforeUp(run: UpInspection): Promise<InspectedUp> {
  const first = await inspect(run.context);
  if (first) await refuseLockOut(run.context.stack, first.client);
  if (first === undefined || first.drifts.length === 0) {
    const nothing = { flags: [], repair: () => Promise.resolve([]), verify: () => Promise.resolve() };
    return { ...nothing, ...(first && { expected: first.expected }) };
  }
  run.report(`the server differs from what the last run left:\n${driftTable(first.drifts)}`);
  const seen: Drift[] = [...first.drifts];
  return { flags: planOrRefuse(first).flags, repair: () => repair(run, first, seen), verify: () => verify(run, seen) };
}

/** Before any firewall has the new rules: Hetzner's takes them at once. */
async function refuseLockOut(stack: string, client: string | null): Promise<void> {
  const { declaredPorts } = await import("../ports/declared.ts");
  const file = await readFile(join(PROJECT_ROOT, `Pulumi.${stack}.yaml`), "utf8");
  const fault = lockOutFault(client, declaredPorts(stack, file).ports);
  if (fault) throw new OperatorError(fault);
}

function planOrRefuse({ drifts }: Inspection): RepairPlan {
  const plan = planRepair(drifts);
  if (plan.lost.length > 0) throw new OperatorError(plan.lost);
  return plan;
}

async function repair(run: UpInspection, first: Inspection, seen: Drift[]): Promise<readonly string[]> {
  const { context } = run;
  const again = async (next: Inspection): Promise<RepairPlan> => {
    await refuseLockOut(context.stack, next.client);
    const fresh = next.drifts.filter((each) => !seen.some(({ resource }) => resource === each.resource));
    if (fresh.length > 0) run.report(`and, as is seen now:\n${driftTable(fresh)}`);
    seen.push(...fresh);
    return planOrRefuse(next);
  };
  // The operator may have been asked in between, and another run may have repaired it: what is done is for what is there now.
  let plan = await again(await inspected(context));
  const flags = [...plan.flags];
  if (plan.powerOn && first.expected.server) {
    run.report(`powering on server ${first.expected.server.name}`);
    await powerOn(first.expected.server, context);
    plan = await again(await untilReachable(context, first.expected));
  }
  if (plan.bootstrap) {
    // The readiness check runs the bootstrap where this file is not what it expects.
    await onServer(context, first.expected, ["rm -f /var/lib/vpai/bootstrap"]);
    await run.up(["--target", "**::host-ready", "--replace", "**::host-ready"]);
    // A login keeps the groups that its user had when it began.
    await endSharedConnection(context, first.expected);
    plan = await again(await inspected(context));
  }
  if (plan.commands.length > 0) await onServer(context, first.expected, plan.commands);
  if (plan.refresh.length > 0) {
    const targets = plan.refresh.flatMap((urn) => ["--target", urn]);
    await pulumiOutput(context, ["refresh", "--yes", "--skip-preview", "--stack", context.stack, ...targets]);
  }
  return [...flags, ...plan.flags];
}

async function inspected(context: StackContext): Promise<Inspection> {
  const inspection = await inspect(context);
  if (inspection === undefined) throw new Error(`the state of stack ${context.stack} has no server any more`);
  return inspection;
}

const BOOT_MS = 180_000;

/** A server that was powered on takes its time until sshd and Docker answer. */
async function untilReachable(context: StackContext, expected: Expected): Promise<Inspection> {
  // The one to the server as it was before would swallow the first question.
  await endSharedConnection(context, expected);
  const deadline = Date.now() + BOOT_MS;
  for (;;) {
    try {
      const inspection = await inspected(context);
      const booting = inspection.drifts.some(({ resource }) => resource === "Docker daemon");
      if (!booting || Date.now() > deadline) return inspection;
    } catch (error) {
      if (!(error instanceof OperatorError) || Date.now() > deadline) throw error;
    }
    await pause(1_000);
  }
}

/** Without one, ssh ends with an error that means nothing here. */
async function endSharedConnection(context: StackContext, expected: Expected): Promise<void> {
  await execa("ssh", ["-O", "exit", ...sshWords(context, expected)], { cwd: PROJECT_ROOT, reject: false });
}

/** Runs shell lines on the server as root, in one round trip; each must succeed. */
async function onServer(context: StackContext, expected: Expected, lines: readonly string[]): Promise<void> {
  const result = await execa("ssh", [...sshWords(context, expected), "sudo -n bash -euo pipefail -s"], {
    cwd: PROJECT_ROOT,
    input: `${lines.map((line) => `${line} < /dev/null > /dev/null`).join("\n")}\n`,
    reject: false,
  });
  if (result.exitCode === 0) return;
  throw new OperatorError({
    key: `server of stack ${context.stack}`,
    found: `not repaired: ${result.stderr.trim().split("\n").at(-1) ?? `exit code ${result.exitCode}`}`,
    fix: `see what differs with \`vpai drift --stack ${context.stack}\`, then run \`vpai up --stack ${context.stack}\` again`,
  });
}

async function verify({ context, report }: UpInspection, seen: readonly Drift[]): Promise<void> {
  const { drifts } = await inspected(context);
  const left = drifts.filter(({ repair: { kind } }) => kind !== "manual");
  if (left.length > 0) {
    throw new OperatorError(
      left.map(({ resource, expected, actual }) => ({
        key: resource,
        found: `${actual}, after the repair`,
        allowed: expected,
        fix: `see \`vpai drift --stack ${context.stack}\`; another program may change it`,
      })),
    );
  }
  const byHand = drifts.map(({ resource }) => resource);
  for (const line of renderRepaired(seen.filter(({ resource }) => !byHand.includes(resource)))) report(line);
}
