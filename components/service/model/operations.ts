import type { PublicAddress } from "./public-origin.ts";

/** A command run on the host as root that reads or writes a stream. It never contains a secret. */
export type Argv = readonly [string, ...string[]];

/** One thing to back up. The commands run on the host; secrets they need are in the container. */
export interface BackupItem {
  readonly name: string;
  /** Writes the copy to stdout. An empty one is a failure. */
  readonly dump: Argv;
  /** Reads the copy from stdin, with the service's dependants stopped. Left out: the copy is for a person to read. */
  readonly restore?: Argv;
  /** After a restore into an empty service: prints what `expect` matches. */
  readonly verify: { readonly argv: Argv; readonly expect: RegExp };
}

export interface Backup {
  /** What would be lost without it. */
  readonly scope: string;
  readonly items: readonly [BackupItem, ...BackupItem[]];
}

/** How an operator logs in to a service: each value as it has to be typed. */
export interface Login {
  readonly user?: string;
  readonly password?: string;
  /** The key or token of an API, or of an interface that asks for one. */
  readonly key?: string;
}

/** A request to the running service and the response that proves it works. */
export type SmokeCheck = {
  readonly name: string;
  /**
   * Time after its container's start within which it has to pass; retried until then, as every check is for a minute after
   * any start. @default 0
   */
  readonly withinSeconds?: number;
} & (
  | {
      /** Requested from outside, through the edge. */
      readonly url: (address: PublicAddress) => string;
      readonly status: number;
      readonly body?: RegExp;
    }
  | {
      /** Run in the container. */
      readonly exec: Argv;
      readonly prints: RegExp;
    }
);
