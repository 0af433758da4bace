import { expect } from "@jest/globals";
import type { Watched } from "./watched.ts";

/** Where `text` holds one of the secrets, by the secret's name; never the secret itself. */
export function leaks(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets].filter(([, value]) => text.includes(value)).map(([name]) => name);
}

/** No secret is in what could be seen of a run. */
export function expectNoSecret({ output, log, processes }: Watched, secrets: ReadonlyMap<string, string>): void {
  // The engine did say all: at this level it prints each value that it passes on.
  expect(log).toMatch(/Marshaling property for RPC/);
  expect(leaks(output + log, secrets)).toEqual([]);
  expect(processes.samples).toBeGreaterThan(20);
  expect(processes.text).toMatch(/pulumi up /);
  expect(leaks(processes.text, secrets)).toEqual([]);
}
