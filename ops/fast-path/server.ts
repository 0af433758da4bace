import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import { PROJECT_ROOT } from "../../shared/paths.ts";
import type { Actual } from "../drift/actual.ts";
import type { StackContext } from "../stack/context.ts";
import { batchSsh } from "../stack/server-ssh.ts";
import type { Start } from "./decide.ts";
import { SERVER_RECORD } from "./record.ts";

const literal = (value: unknown): string => JSON.stringify(JSON.stringify(value));

/** The text for `python3 -`: inspects as the record on the server says, if it is the very one. */
export const renderRecorded = (script: string, digest: string): string =>
  `${script}\n\nmain_recorded(${JSON.stringify(SERVER_RECORD)}, ${JSON.stringify(digest)})\n`;

/** The text for `python3 -`: starts containers. */
export const renderStart = (script: string, containers: readonly Start[]): string =>
  `${script}\n\nmain(json.loads(${literal(containers)}))\n`;

/** What the server has of all that the last run recorded; undefined where it does not answer, or has another record. */
export async function inspectRecorded(context: StackContext, digest: string): Promise<Actual | undefined> {
  const answer = await onServer(context, "sudo -n python3 -I -", renderRecorded(await script("inspect.py"), digest));
  return answer === undefined ? undefined : ((JSON.parse(answer) as Actual | null) ?? undefined);
}

/** Starts containers and waits for them; what is wrong by service, undefined where the server does not answer. */
export async function startContainers(
  context: StackContext,
  containers: readonly Start[],
): Promise<Readonly<Record<string, string>> | undefined> {
  const answer = await onServer(context, "sudo -n python3 -I -", renderStart(await script("start.py"), containers));
  return answer === undefined ? undefined : (JSON.parse(answer) as Record<string, string>);
}

/** Leaves a record on the server; false where that fails: the next run then takes its time. */
export async function writeServerRecord(context: StackContext, record: string): Promise<boolean> {
  const write = `umask 077 && mkdir -p /var/lib/vpai && cat > ${SERVER_RECORD}.new && mv ${SERVER_RECORD}.new ${SERVER_RECORD}`;
  return (await onServer(context, `sudo -n sh -c '${write}'`, record)) !== undefined;
}

const script = (name: string): Promise<string> => readFile(join(PROJECT_ROOT, "files", "host", name), "utf8");

/** Node's own `spawn`: what the rest of this command uses for it takes as long to load as the server to answer. */
async function onServer(context: StackContext, command: string, input: string): Promise<string | undefined> {
  const config = join(context.relativeWorkDir, "ssh", "config");
  const child = spawn("ssh", [...batchSsh(config), command], {
    cwd: PROJECT_ROOT,
    env: { ...context.env },
    stdio: ["pipe", "pipe", "ignore"],
    // A server that is off answers nothing at all.
    timeout: 600_000,
  });
  const ended = once(child, "close") as Promise<[number | null]>;
  // Where ssh ends at once its end is the answer.
  child.stdin.on("error", () => undefined).end(input);
  const [stdout, [code]] = await Promise.all([text(child.stdout), ended]);
  return code === 0 ? stdout : undefined;
}
