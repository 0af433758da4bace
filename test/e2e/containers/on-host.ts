import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import type { Argv } from "../../../components/service/model/operations.ts";
import type { HttpStep } from "../../../components/service/model/provision.ts";

/** Runs a command as its host would; answers what it printed, or throws what it said was wrong. */
export async function onHost(argv: readonly string[], stdin: Buffer | string = ""): Promise<Buffer> {
  const [program = "", ...words] = argv;
  const child = spawn(program, words, { stdio: "pipe" });
  const ended = once(child, "close") as Promise<[number]>;
  // Who refuses at once does not read.
  child.stdin.once("error", () => undefined);
  child.stdin.end(stdin);
  const [out, err, [code]] = await Promise.all([buffer(child.stdout), buffer(child.stderr), ended]);
  if (code !== 0) throw new Error(err.toString().trim() || `${argv.join(" ")} ended with ${code}`);
  return out;
}

/** A definition's command, with the names and places that things have here instead of those on a server. */
export const hereAs =
  (names: Readonly<Record<string, string>>) =>
  (argv: Argv | undefined): string[] =>
    (argv ?? []).map((word) =>
      Object.entries(names).reduce((text, [there, here]) => text.replaceAll(there, here), word),
    );

/** What the host's script does with a definition's steps; answers what it printed. */
export async function provision(container: string, port: number, steps: readonly HttpStep[]): Promise<string> {
  const plan = { container, port, deadlineSeconds: 60, steps };
  const script = join(import.meta.dirname, "../../../files/host/provision.py");
  return String(await onHost(["python3", script], JSON.stringify(plan))).trim();
}
