import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

export interface RunOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Written to stdin, which is otherwise empty. Taken for secret: no error shows it. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Ends the program after so long. @default no limit */
  readonly timeoutMs?: number;
  /** Texts that no error may show. */
  readonly secrets?: readonly string[];
  /** Called with each line of stdout and stderr as it comes; not redacted. */
  readonly onLine?: (line: string) => void;
  /** Ends the program when it aborts. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  /** Without the last line's end. */
  readonly stdout: string;
  readonly stderr: string;
}

/** A program that could not be started, failed, or took too long. Its message holds the last lines of its output. */
export class RunError extends Error {
  /** Undefined when the program never ran or was ended by a signal. */
  readonly exitCode: number | undefined;
  /** Redacted. */
  readonly stdout: string;
  readonly stderr: string;
  /** ENOENT, EACCES and the like, when the program could not be started. */
  readonly code: string | undefined;

  constructor(message: string, details: Pick<RunError, "exitCode" | "stdout" | "stderr" | "code">) {
    super(message);
    this.name = "RunError";
    this.exitCode = details.exitCode;
    this.stdout = details.stdout;
    this.stderr = details.stderr;
    this.code = details.code;
  }
}

/** Shorter texts are words that any output holds. */
const SHORTEST_SECRET = 6;
const LINES_SHOWN = 20;

/** Puts [secret] in the place of each of the secrets, the longest first. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= SHORTEST_SECRET)
    .sort((a, b) => b.length - a.length)
    .reduce((shown, secret) => shown.replaceAll(secret, "[secret]"), text);
}

/**
 * Runs a program to its end, without a shell.
 *
 * @throws RunError – redacted: neither the input, whole or a line of it, nor one of the secrets is in it
 */
export async function run(file: string, args: readonly string[] = [], options: RunOptions = {}): Promise<RunResult> {
  const outcome = await start(file, args, options);
  const { stdout, stderr } = outcome;
  if (outcome.exitCode === 0 && outcome.ended === undefined) return { stdout, stderr };

  const hide = (text: string): string => redact(text, secretsOf(options));
  const shown = hide(stderr.trim() || stdout.trim())
    .split("\n")
    .slice(-LINES_SHOWN)
    .join("\n");
  const message = `${hide([file, ...args].join(" "))}: ${reason(outcome)}${shown && `\n${shown}`}`;
  const { exitCode, code } = outcome;
  throw new RunError(message, { exitCode, code, stdout: hide(stdout), stderr: hide(stderr) });
}

interface Outcome extends RunResult {
  readonly exitCode: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** Why this process has ended it. */
  readonly ended: string | undefined;
  readonly code: string | undefined;
}

function start(file: string, args: readonly string[], options: RunOptions): Promise<Outcome> {
  return new Promise((done) => {
    const child = spawn(file, args, { cwd: options.cwd, env: { ...process.env, ...options.env } });
    const stdout = collect(child.stdout, options.onLine);
    const stderr = collect(child.stderr, options.onLine);
    let ended: string | undefined;
    let code: string | undefined;
    const end = (why: string): void => {
      ended = why;
      child.kill("SIGKILL");
    };
    const limit = options.timeoutMs;
    const timer = limit === undefined ? undefined : setTimeout(() => end(`took longer than ${limit / 1000} s`), limit);
    const abort = (): void => end("was ended");
    options.signal?.addEventListener("abort", abort, { once: true });
    if (options.signal?.aborted) abort();
    child.stdin.on("error", () => undefined); // a program that reads no more of its input says why itself
    child.stdin.end(options.input ?? "");
    child.on("error", (error: NodeJS.ErrnoException) => (code = error.code ?? error.message));
    child.on("close", (exitCode, signal) => {
      clearTimeout(timer);
      options.signal?.removeEventListener("abort", abort);
      const exited = code === undefined ? (exitCode ?? undefined) : undefined;
      done({ stdout: stdout(), stderr: stderr(), exitCode: exited, signal: signal ?? undefined, ended, code });
    });
  });
}

/** @returns a function that gives what has come, without the last line's end */
function collect(stream: Readable, onLine?: (line: string) => void): () => string {
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(chunk));
  if (onLine) createInterface({ input: stream, crlfDelay: Infinity }).on("line", onLine);
  return () =>
    Buffer.concat(chunks)
      .toString("utf8")
      .replace(/\r?\n$/, "");
}

function reason(outcome: Outcome): string {
  if (outcome.ended !== undefined) return outcome.ended;
  if (outcome.code === "ENOENT") return "not found";
  if (outcome.code !== undefined) return `could not be started (${outcome.code})`;
  return outcome.signal === undefined ? `exit ${outcome.exitCode}` : `ended by ${outcome.signal}`;
}

function secretsOf(options: RunOptions): string[] {
  const input = typeof options.input === "string" ? options.input : "";
  return [...(options.secrets ?? []), input.trim(), ...input.split("\n").map((line) => line.trim())];
}
