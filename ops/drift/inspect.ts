import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { materialise, renderSshFiles } from "../../components/host/ssh-files.ts";
import { OperatorError } from "../../shared/errors.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import { pulumiOutput } from "../engine/run.ts";
import { readCheckpoint } from "../stack/file-backend.ts";
import type { StackContext } from "../stack/context.ts";
import { batchSsh, serverFault } from "../stack/server-ssh.ts";
import { type Actual, renderInspection } from "./actual.ts";
import { compare } from "./compare.ts";
import type { Drift } from "./drift.ts";
import { type Expected, expectedOf, requestFor, type StateResource } from "./expected.ts";
import { serverStatus } from "./server-status.ts";

export interface Inspection {
  readonly expected: Expected;
  readonly drifts: readonly Drift[];
  /** The address that the server sees this machine come from; null where it is not known. */
  readonly client: string | null;
}

/** What the last run recorded; undefined while the stack has no server. */
export async function readExpected(context: StackContext): Promise<Expected | undefined> {
  if (context.files && (await readCheckpoint(context.files)) === "absent") return undefined;
  const text = await pulumiOutput(context, ["stack", "export", "--show-secrets", "--stack", context.stack]);
  const { deployment } = JSON.parse(text) as { deployment: { resources?: StateResource[] } };
  return expectedOf(deployment.resources ?? []);
}

/**
 * Compares the server with what the last run recorded; undefined while the stack has no server.
 *
 * @throws OperatorError when the server, or its provider, does not answer: what is not seen is not called unchanged
 */
export async function inspect(context: StackContext): Promise<Inspection | undefined> {
  const expected = await readExpected(context);
  if (expected === undefined) return undefined;
  const off = await serverStatus(expected, context);
  if (off) return { expected, drifts: [off], client: null };
  const [actual, dns] = await Promise.all([readActual(context, expected), readDns(context, expected)]);
  return { expected, drifts: [...compare(expected, actual), ...dns], client: actual.client };
}

/** The clients of DNS providers are loaded only where there is one. */
async function readDns(context: StackContext, { dns }: Expected): Promise<Drift[]> {
  return dns ? (await import("./dns.ts")).dnsDrifts(dns, context) : [];
}

/** Words of `ssh` for the server. Its files are written as the program does: this clone may never have run it. */
export function sshWords(context: StackContext, { access }: Expected): readonly string[] {
  const folder = join(context.relativeWorkDir, "ssh");
  materialise(join(PROJECT_ROOT, folder), renderSshFiles(folder, access));
  return batchSsh(join(folder, "config"));
}

const INSPECTION = 'sudo -n python3 -I - "${SSH_CONNECTION%% *}"';

/** One round trip: a script in, one line of JSON out. */
async function readActual(context: StackContext, expected: Expected): Promise<Actual> {
  const script = await readFile(join(PROJECT_ROOT, "files", "host", "inspect.py"), "utf8");
  const result = await execa("ssh", [...sshWords(context, expected), INSPECTION], {
    cwd: PROJECT_ROOT,
    input: renderInspection(script, requestFor(expected)),
    reject: false,
    timeout: 120_000,
  });
  if (result.exitCode === 0) return JSON.parse(result.stdout) as Actual;
  throw new OperatorError(
    result.exitCode === 255 || result.timedOut
      ? serverFault(context.stack, result.timedOut ? "ssh did not end within 120 s" : result.stderr)
      : {
          key: `server of stack ${context.stack}`,
          found: `cannot be inspected: ${result.stderr.trim().split("\n").at(-1) ?? `exit code ${result.exitCode}`}`,
          allowed: "python3, and sudo without a password for the user deploy",
          fix: `put that right on the server as root, then \`vpai up --stack ${context.stack}\``,
        },
  );
}
