import { z } from "zod";
import { choice, text, whole } from "../../shared/rules.ts";
import { ERROR_STATUS } from "../hetzner/wire/error-status.ts";
import { offers } from "../hetzner/state/offers.ts";

const MANY = 1_000_000;
const oneOf = (names: readonly string[]) => text(`one of ${names.join(", ")}`, (value) => names.includes(value));

const times = whole(1, MANY, "a whole number from 1")
  .optional()
  .describe("how often it strikes; without it, until cleared");
const llmProvider = choice(["anthropic", "openai"]).optional().describe("anthropic or openai; without it, both");
const match = text("a part of a method and path, such as POST /v1/servers")
  .optional()
  .describe("only requests whose method and path contain this");
const delay = whole(1, MANY, "milliseconds, a whole number from 1").describe("milliseconds until the answer");
const serverType = oneOf(offers.serverTypes.map(({ name }) => name)).describe(
  "server type that is sold out, such as cx33",
);
const location = oneOf(offers.locations.map(({ name }) => name))
  .optional()
  .describe("only there, such as fsn1; without it, everywhere");

/**
 * The faults that a sandbox can be told to show, by name. The simulators ask {@link FaultBook.strike} at the
 * point where the real service would fail.
 */
export const faultSchema = z.discriminatedUnion("name", [
  /** Hetzner answers 500 `service_error`, optionally only to requests whose "METHOD path" contains `match`. */
  z.strictObject({ name: z.literal("hetzner-5xx"), match, times }),
  /** Hetzner answers 429 `rate_limit_exceeded`. */
  z.strictObject({ name: z.literal("hetzner-429"), match, times }),
  /** Hetzner answers with one of its error codes; `token_readonly` only to requests that would change something. */
  z.strictObject({
    name: z.literal("hetzner-error"),
    code: oneOf(Object.keys(ERROR_STATUS)).describe("error code, such as locked"),
    match,
    times,
  }),
  /** Hetzner answers after `ms` milliseconds. */
  z.strictObject({ name: z.literal("hetzner-slow"), match, ms: delay, times }),
  /** Servers of `serverType` are sold out (at `location`, or everywhere): `resource_unavailable`. */
  z.strictObject({ name: z.literal("no-capacity"), serverType, location, times }),
  /** The image registry refuses connections' requests with 503. */
  z.strictObject({ name: z.literal("registry-down"), times }),
  /** The image registry answers 429 `TOOMANYREQUESTS`, with `Retry-After` if told how many seconds. */
  z.strictObject({
    name: z.literal("registry-429"),
    match,
    retryAfter: whole(0, MANY, "seconds, a whole number").optional().describe("seconds that Retry-After names"),
    times,
  }),
  /** The image registry answers after `ms` milliseconds. */
  z.strictObject({ name: z.literal("registry-slow"), match, ms: delay, times }),
  /** One tag (and its digest) is gone: `manifest unknown`. `image` is like `library/redis:8.4.0-bookworm`. */
  z.strictObject({
    name: z.literal("dead-tag"),
    image: text("an image such as library/redis:8.4.0-bookworm").describe("such as library/redis:8.4.0-bookworm"),
    times,
  }),
  /** The providers of language models (or one) are overloaded: Anthropic answers 529, OpenAI 503. */
  z.strictObject({ name: z.literal("llm-5xx"), provider: llmProvider, times }),
  /** The providers of language models (or one) say that there were too many requests. */
  z.strictObject({ name: z.literal("llm-429"), provider: llmProvider, times }),
]);

export type FaultSpec = z.infer<typeof faultSchema>;
export type FaultName = FaultSpec["name"];

/** The faults in force in one sandbox. */
export class FaultBook {
  #active: FaultSpec[] = [];

  inject(spec: FaultSpec): void {
    this.#active.push(spec);
  }

  clear(): void {
    this.#active = [];
  }

  list(): readonly FaultSpec[] {
    return this.#active;
  }

  /** The first fault called `name` that `applies`, counted as struck once; undefined when none is in force. */
  strike<N extends FaultName>(
    name: N,
    applies: (fault: Extract<FaultSpec, { name: N }>) => boolean = () => true,
  ): Extract<FaultSpec, { name: N }> | undefined {
    const fault = this.#active.find(
      (spec): spec is Extract<FaultSpec, { name: N }> =>
        spec.name === name && applies(spec as Extract<FaultSpec, { name: N }>),
    );
    if (fault?.times !== undefined) {
      const rest = fault.times - 1;
      this.#active = this.#active.flatMap((spec) =>
        spec !== (fault as FaultSpec) ? [spec] : rest > 0 ? [{ ...spec, times: rest }] : [],
      );
    }
    return fault;
  }

  /** Like {@link strike}, without counting: for answers that merely describe the world (capacity in a listing). */
  active<N extends FaultName>(
    name: N,
    applies: (fault: Extract<FaultSpec, { name: N }>) => boolean = () => true,
  ): boolean {
    return this.#active.some((spec) => spec.name === name && applies(spec as Extract<FaultSpec, { name: N }>));
  }
}
