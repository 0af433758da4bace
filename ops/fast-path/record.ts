import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Expected, requestFor } from "../drift/expected.ts";

/** What the last successful run left on this machine: everything that a run without the engine needs, and no secret. */
export interface Converged {
  /** Program, settings and state as they were; see plan-fingerprint.ts. */
  readonly fingerprint: string;
  /** SHA-256 of what it left on the server: {@link ServerRecord}. */
  readonly serverRecord: string;
  readonly expected: Expected;
  readonly links: Readonly<Record<string, string>>;
  /** Services of the sandbox that a fake stands for. */
  readonly fakes: readonly string[];
}

/** Where a run leaves {@link serverRecordOf} on the server, for root alone: the requests to the services have their keys. */
export const SERVER_RECORD = "/var/lib/vpai/converged.json";

/** What the inspection is to read, and the fingerprint of the run that left it: another run's is another text. */
export const serverRecordOf = (expected: Expected, fingerprint: string): string =>
  `${JSON.stringify({ fingerprint, request: requestFor(expected) })}\n`;

export const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** What is expected, without what only asking for it needs. */
export function withoutSecrets(expected: Expected): Expected {
  const { access, readbacks, probes, server, dns } = expected;
  return {
    ...expected,
    access: { ...access, privateKey: "" },
    readbacks: readbacks.map((each) => ({ ...each, stdin: "" })),
    probes: probes.map((each) => ({ ...each, request: { method: each.request.method, path: "" } })),
    ...(server && { server: { ...server, token: "" } }),
    ...(dns && { dns: { ...dns, secrets: {} } }),
  };
}

const file = (work: string): string => join(work, "converged.json");

/** Undefined where no run left one, or one that is no JSON. */
export async function readConverged(work: string): Promise<Converged | undefined> {
  try {
    return JSON.parse(await readFile(file(work), "utf8")) as Converged;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT" || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export async function writeConverged(work: string, converged: Converged): Promise<void> {
  await writeFile(`${file(work)}.new`, JSON.stringify(converged), { mode: 0o600 });
  await rename(`${file(work)}.new`, file(work));
}

export const forgetConverged = (work: string): Promise<void> => rm(file(work), { force: true });
