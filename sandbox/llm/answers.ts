import { createHash, timingSafeEqual } from "node:crypto";
import type { ServerResponse } from "node:http";
import type { FaultBook } from "../control/fault-injector.ts";

/** What one provider's simulator is made with. */
export interface ProviderOptions {
  readonly key: string;
  readonly faults: FaultBook;
  readonly log: (line: string) => void;
}

export function sameKey(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** About what real tokenizers make of English: four letters each. */
export const tokensOf = (text: string): number => Math.ceil(text.length / 4);

/** The same for the same question, so that a test can tell it beforehand. */
export function reply(model: string, question: string, maxTokens: number): { text: string; cut: boolean } {
  const full = `This is the sandbox's ${model}. You said: ${question}`;
  return { text: full.slice(0, maxTokens * 4), cut: full.length > maxTokens * 4 };
}

/** An id in the providers' form; another for each request. */
let asked = 0;
export function newId(prefix: string, length: number): string {
  const text = `${process.pid} ${Date.now()} ${(asked += 1)}`;
  return prefix + createHash("sha512").update(text).digest("base64url").replace(/[-_]/g, "0").slice(0, length);
}

/** Text of a message's content, which may be text or parts of several kinds. */
export function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as readonly { readonly text?: unknown }[])
    .flatMap(({ text }) => (typeof text === "string" ? [text] : []))
    .join("\n");
}

/** Server-sent events, all at once. */
export function sendEvents(response: ServerResponse, events: readonly string[], headers: Record<string, string>): void {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    ...headers,
  });
  for (const event of events) response.write(`${event}\n\n`);
  response.end();
}

/** Words of a text, each with the space before it: what comes in one piece of a stream. */
export const pieces = (text: string): string[] => text.match(/\s*\S+/g) ?? [];
