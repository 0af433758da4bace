import { run } from "../../shared/exec.ts";
import { applyText, missingLines, removeText, type Ruleset } from "./firewall.ts";

let queue: Promise<unknown> = Promise.resolve();

/** One at a time in this process: what is missing is read before it is written. Chains of other sandboxes are theirs. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const turn = queue.then(work);
  queue = turn.catch(() => undefined);
  return turn;
}

/** The filter table as `iptables -S` prints it. */
export async function currentRules(): Promise<string> {
  return (await run("iptables", ["--wait", "-S"])).stdout;
}

/** Puts the rules in force, and reads back that they are. */
export function applyRuleset(ruleset: Ruleset): Promise<void> {
  return inTurn(async () => {
    await restore(applyText(ruleset, await currentRules()));
    const missing = missingLines(ruleset, await currentRules());
    if (missing.length > 0) throw new Error(`iptables did not keep:\n${missing.join("\n")}`);
  });
}

/** Removes every chain whose name begins so, and every jump to one. */
export function removeChains(chainPrefix: string): Promise<void> {
  return inTurn(async () => {
    const text = removeText(chainPrefix, await currentRules());
    if (text === undefined) return;
    await restore(text);
    const left = removeText(chainPrefix, await currentRules());
    if (left !== undefined) throw new Error(`iptables did not remove:\n${left}`);
  });
}

/** The names of the chains that begin so. */
export async function listChains(chainPrefix: string): Promise<readonly string[]> {
  const lines = (await currentRules()).split("\n");
  return lines.filter((line) => line.startsWith(`-N ${chainPrefix}`)).map((line) => line.slice(3));
}

async function restore(text: string): Promise<void> {
  await run("iptables-restore", ["--noflush", "--wait"], { input: text });
}
