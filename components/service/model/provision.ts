/** One request to a service's own API. */
export interface HttpAsk {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}

/** What an answer has to be. */
export interface HttpAnswer {
  readonly status: number;
  /** Every member of it is in the answer's body, however deep. */
  readonly json?: unknown;
}

/**
 * A state that a service is to be in: `check` tells whether it is, `apply` makes it so, and `check` is asked again
 * afterwards, because written is not applied. Read by files/host/provision.py.
 */
export interface HttpStep {
  readonly name: string;
  readonly check: HttpAsk;
  /** One of them, where there are several. */
  readonly done: HttpAnswer | readonly HttpAnswer[];
  /** The first whose `when` is what the check answered, or that has none. `ok` lists the statuses that are fine. */
  readonly apply: readonly (HttpAsk & { readonly when?: HttpAnswer; readonly ok: readonly number[] })[];
}

/** What files/host/provision.py reads. */
export interface ProvisionPlan {
  readonly container: string;
  readonly port: number;
  readonly deadlineSeconds: number;
  readonly steps: readonly HttpStep[];
}
