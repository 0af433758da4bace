import { hostname } from "node:os";
import { execa } from "execa";
import { OperatorError, type Fault } from "../../shared/errors.ts";
import { call } from "../../sandbox/control/control-client.ts";
import { instanceOf, readWorldFile } from "../../sandbox/supervisor/instance.ts";
import { cacheDir } from "../../toolchain/cache.ts";
import { freeDisk, memory } from "../../toolchain/checks.ts";
import { askDocker, dockerFault, dockerSocket } from "../../toolchain/docker.ts";
import { ensureToolchain, originText } from "../../toolchain/toolchain.ts";
import { openRunningStack, type StackChoice } from "../deploy/open.ts";
import { inspect } from "../drift/inspect.ts";
import { type Finding, renderFindings, serverFindings } from "./findings.ts";
import { projectName, SANDBOX, type StackContext } from "../stack/context.ts";
import { machineFaults } from "../stack/preflight.ts";
import { isAlive } from "../recover/processes.ts";
import { checkStack, stackInput } from "../settings/check.ts";
import { createScreen } from "../stack/terminal.ts";
import { readCheckpoint, readLocks, readRun, stateFiles } from "../stack/file-backend.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

/** `vpai doctor`; with a stack, its server too. */
export async function runDoctor(instance: string, stack?: string): Promise<void> {
  const screen = createScreen();
  const report = (line: string): void => screen.line(line);
  const here = (await Promise.all([machine(), parts(report), docker(), sandbox(instance), state(instance)])).flat();
  // Afterwards: what is missing on this machine is reported by its own name, not as a server that does not answer.
  const findings = [...here, ...(stack === undefined ? [] : await server({ stack, instance }, report))];
  process.stdout.write(renderFindings(findings));
  process.exitCode = findings.some(({ fault }) => fault) ? 1 : 0;
}

async function server(choice: StackChoice, report: (line: string) => void): Promise<Finding[]> {
  const name = `server of ${choice.stack}`;
  try {
    const { context } = await openRunningStack(choice, report);
    const rights = await dnsRights(choice.stack);
    const inspection = await inspect(context);
    const found = inspection ? serverFindings(choice.stack, inspection.drifts) : [{ name, found: "none yet" }];
    return [...rights, ...found, ...(inspection ? [await recoveryKit(context)] : [])];
  } catch (error) {
    return faultsOf(name, error);
  }
}

/** A stack whose keys are in no other place is lost with this machine. */
async function recoveryKit(context: StackContext): Promise<Finding> {
  const { stack } = context;
  const { found, outdated } = await (await import("../recovery-kit/command.ts")).kitStatus(context);
  const name = `recovery kit of ${stack}`;
  if (!outdated || stack === SANDBOX) return { name, found };
  return { name, found: `! ${found}: \`vpai recovery-kit --stack ${stack}\`` };
}

/** Tries what the keys of a DNS provider may do. */
async function dnsRights(stack: string): Promise<Finding[]> {
  const checked = checkStack(stackInput(stack));
  if (checked.zone === undefined) return [];
  const name = `zone ${checked.zone.zone}`;
  try {
    const { tryDnsRights } = await import("../settings/dns-rights.ts");
    const untried = await tryDnsRights(checked.zone, checked, process.env);
    return [{ name, found: untried ?? `${checked.zone.provider}'s keys may read, write, remove and publish` }];
  } catch (error) {
    return faultsOf(name, error);
  }
}

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

async function machine(): Promise<Finding[]> {
  const faults = machineFaults();
  const about = (word: string): { fault?: Fault } => {
    const fault = faults.find(({ key }) => key.startsWith(word));
    return fault ? { fault } : {};
  };
  const go = await execa("go", ["env", "GOVERSION"], { reject: false });
  return [
    {
      name: "go",
      found: go.exitCode === 0 ? go.stdout : "none (needed only where official binaries are not available)",
    },
    {
      name: "disk",
      found: `${gigabytes(freeDisk(PROJECT_ROOT))} free here, ${gigabytes(freeDisk(cacheDir()))} at ${cacheDir()}`,
      ...about("disk"),
    },
    { name: "memory", found: gigabytes(memory()), ...about("memory") },
  ];
}

async function parts(report: (line: string) => void): Promise<Finding[]> {
  try {
    const { parts: list } = await ensureToolchain(report);
    return list.map((part) => ({ name: part.name, found: `${part.version}, ${originText(part)}, ${part.path}` }));
  } catch (error) {
    return faultsOf("engine and plugins", error);
  }
}

function faultsOf(name: string, error: unknown): Finding[] {
  if (!(error instanceof OperatorError)) throw error;
  return error.faults.map((fault) => ({ name, found: fault.found ?? fault.key, fault }));
}

async function docker(): Promise<Finding[]> {
  try {
    const socket = dockerSocket(process.env);
    const answer = await askDocker(socket);
    if (answer.kind === "ready") return [{ name: "docker", found: `${answer.version} at ${socket}` }];
    return faultsOf("docker", dockerFault(socket, answer, process.env, true));
  } catch (error) {
    return faultsOf("docker", error);
  }
}

async function sandbox(instance: string): Promise<Finding[]> {
  const name = `sandbox ${instance}`;
  try {
    const file = await readWorldFile(instanceOf(instance));
    if (file === undefined) return [{ name, found: "not up" }];
    const answers = await call<unknown>(file, "GET", "/health", undefined, 2_000).then(
      () => true,
      () => false,
    );
    if (answers) return [{ name, found: `up at ${file.subnet}, https://127.0.0.1:${file.port}` }];
    const found = "its supervisor does not answer";
    return [{ name, found, fault: { key: name, found, fix: "run `vpai start` again, or `vpai sandbox down`" } }];
  } catch (error) {
    return faultsOf(name, error);
  }
}

async function state(instance: string): Promise<Finding[]> {
  const { dir } = instanceOf(instance);
  const files = stateFiles(`file://${dir}/state`, projectName(), SANDBOX);
  if (!files) throw new Error("the sandbox's state is no folder");
  const [locks, checkpoint, run] = await Promise.all([readLocks(files), readCheckpoint(files), readRun(dir)]);
  const fix = `run \`vpai recover --stack ${SANDBOX}${instance === SANDBOX ? "" : ` --instance ${instance}`}\``;
  const name = `state of ${instance}`;
  const running = run?.host === hostname() && isAlive(run.pid);
  if (running) return [{ name, found: `${run.verb} is running (pid ${run.pid}, since ${run.started})` }];
  if (locks.length > 0 || checkpoint === "pending" || checkpoint === "broken" || run !== undefined) {
    const found = [
      ...locks.map(({ holder }) => (holder ? `locked by pid ${holder.pid} since ${holder.since}` : "a broken lock")),
      ...(checkpoint === "pending" ? ["interrupted operations"] : []),
      ...(checkpoint === "broken" ? ["the state file is truncated"] : []),
      ...(run ? [`an interrupted ${run.verb} of ${run.started}`] : []),
    ].join(", ");
    return [{ name, found, fault: { key: name, found, fix } }];
  }
  return [{ name, found: checkpoint === "absent" ? "none yet" : "clean" }];
}
