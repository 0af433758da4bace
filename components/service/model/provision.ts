import type { ServiceContext } from "./context.ts";
import type { Reveal } from "./facets.ts";

/** One request to a service's own API. */
export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

export interface ExpectedResponse {
  readonly status: number;
  /** Every member of it is in the response's body, at any depth. */
  readonly json?: unknown;
}

/**
 * A desired state of a service: `probe` reads it, `apply` establishes it, and `probe` runs again afterwards, because
 * written is not applied. Read by files/host/provision.py.
 */
export interface HttpStep {
  readonly name: string;
  readonly probe: HttpRequest;
  /** Any of them, when there are several. */
  readonly satisfiedBy: ExpectedResponse | readonly ExpectedResponse[];
  /** The first one whose `when` matches the probe's response, or that has none. `ok` lists the accepted statuses. */
  readonly apply: readonly (HttpRequest & { readonly when?: ExpectedResponse; readonly ok: readonly number[] })[];
  /** What the server's inspection asks instead of a probe that is no GET; without it such a step is not inspected. */
  readonly inspect?: { readonly request: HttpRequest; readonly satisfiedBy: ExpectedResponse };
  /** Where it is not found (404), data is lost: nothing makes it again unasked. */
  readonly holdsData?: true;
}

/** How the running service shows what is set in it: one command in its container that changes nothing. */
export interface Readback {
  readonly argv: readonly string[];
  /** Where secrets travel. */
  readonly stdin: string;
  /** What it prints, `what|value` a line, the value's words in any order. No secret: a difference is shown. */
  readonly lines: readonly ReadbackLine[];
}

export interface ReadbackLine {
  /** `role n8n`. */
  readonly what: string;
  readonly value: string;
  /** Where it is not found, data is lost: nothing makes it again unasked. */
  readonly holdsData?: true;
}

/** What is set over the service's own API, once it is healthy and after each change. */
export interface Provision {
  readonly port: number;
  readonly steps: (context: ServiceContext, reveal: Reveal) => readonly HttpStep[];
}

/** Input of files/host/provision.py. */
export interface ProvisionPlan {
  readonly container: string;
  readonly port: number;
  readonly deadlineSeconds: number;
  readonly steps: readonly HttpStep[];
}
