import type { ServiceContext } from "./definition.ts";

/** Words of a command, run on the host as root, that read or write a stream. `{secret:name}` is never among them. */
export type Argv = readonly [string, ...string[]];

/** One thing to save. The commands run on the host; whatever they need to know of secrets is in the container. */
export interface BackupItem {
  readonly name: string;
  /** Writes the copy to stdout. An empty one is a failure. */
  readonly dump: Argv;
  /** Reads the copy from stdin, with the service's dependants stopped. */
  readonly restore: Argv;
  /** After a restore into an empty service: prints what `expect` matches. */
  readonly prove: { readonly argv: Argv; readonly expect: RegExp };
}

export interface Backup {
  /** What would be lost without it. */
  readonly what: string;
  readonly items: readonly [BackupItem, ...BackupItem[]];
}

/** A question to a running service, and the answer that shows that it does its job. */
export type SmokeCheck = { readonly name: string } & (
  | {
      /** Asked from outside, through the edge. */
      readonly url: (context: ServiceContext) => string;
      readonly status: number;
      readonly body?: RegExp;
    }
  | {
      /** Run in the container. */
      readonly exec: Argv;
      readonly prints: RegExp;
    }
);
