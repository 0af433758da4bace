import { readdirSync, readFileSync } from "node:fs";
import type { SandboxStack } from "./stack.ts";

/** The stack's secrets by a name that may be printed: generated values, private keys, the API token. */
export async function secretsOf(stack: SandboxStack): Promise<Map<string, string>> {
  const generated = JSON.parse(await stack.output("secrets")) as Record<string, string>;
  const secrets = new Map(Object.entries(generated).map(([name, value]) => [`secrets.${name}`, value]));
  const text = await stack.pulumi(["stack", "export", "--stack", "sandbox", "--show-secrets"]);
  for (const { urn, outputs = {} } of (
    JSON.parse(text) as { deployment: { resources: { urn: string; outputs?: Record<string, unknown> }[] } }
  ).deployment.resources) {
    const key = plaintext(outputs["privateKeyOpenssh"]);
    // The longest line of a key's body: wherever the key is written, however it is wrapped, this is in it.
    if (key)
      secrets.set(
        `key of ${urn.split("::").at(-1)}`,
        key.split(/\n|\\n/).toSorted((a, b) => b.length - a.length)[1] ?? key,
      );
  }
  const env = await stack.env();
  for (const name of ["HCLOUD_TOKEN", "ANTHROPIC_API_KEY", "OPENAI_API_KEY"]) secrets.set(name, env[name] ?? "");
  for (const [name, value] of secrets) {
    if (value.length < 20) throw new Error(`${name} has ${value.length} characters: too few to be searched for`);
  }
  return secrets;
}

/** What an exported secret holds, when it was exported in plain. */
function plaintext(value: unknown): string | undefined {
  const text = (value as { plaintext?: string } | undefined)?.plaintext;
  return text === undefined ? undefined : (JSON.parse(text) as string);
}

export interface ProcessSamples {
  readonly samples: number;
  /** A line for each different list of arguments that was seen. */
  readonly text: string;
}

/**
 * Collects the arguments of every process of this machine until stopped: the engine's side and, since the sandbox's
 * servers are containers, the server's side too.
 */
export function sampleProcesses(): { stop(): Promise<ProcessSamples> } {
  const seen = new Set<string>();
  let [samples, running] = [0, true];
  const loop = (async () => {
    while (running) {
      for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) seen.add(argumentsOf(pid));
      samples += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  return {
    stop: async () => {
      running = false;
      await loop;
      return { samples, text: [...seen].join("\n").replaceAll("\0", " ") };
    },
  };
}

/** Read at once: asynchronous reads of each process would take half of a core from what is looked at. */
function argumentsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // It has ended since it was listed.
  }
}
