import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

import { OperatorError } from "../../../shared/errors.ts";
import type { State } from "./model.ts";

/** Finished actions kept; Hetzner forgets old ones too. */
const keptActions = 1000;

function empty(): State {
  return {
    version: 1,
    nextId: 1_000_001,
    servers: [],
    actions: [],
    primaryIps: [],
    firewalls: [],
    sshKeys: [],
    snapshots: [],
    volumes: [],
  };
}

/** The state in memory, and its file. A missing file is an empty project. */
export class Store {
  readonly state: State;
  readonly #file: string;
  #closed = false;

  constructor(file: string) {
    this.#file = file;
    this.state = read(file) ?? empty();
  }

  newId(): number {
    return this.state.nextId++;
  }

  /** Writes beside the file, then renames: a reader or a crash sees the old or the new state, never a torn one. */
  save(): void {
    if (this.#closed) {
      return;
    }
    this.#forgetOldActions();
    mkdirSync(dirname(this.#file), { recursive: true });
    const next = `${this.#file}.next`;
    // Mode: user data of servers may hold secrets.
    writeFileSync(next, JSON.stringify(this.state, null, 1), { mode: 0o600 });
    renameSync(next, this.#file);
  }

  /** Nothing is written any more, as if the power had gone: what runs still is taken up again after a restart. */
  close(): void {
    this.#closed = true;
  }

  #forgetOldActions(): void {
    const excess = this.state.actions.length - keptActions;
    if (excess > 0) {
      const old = new Set(this.state.actions.filter((action) => action.status !== "running").slice(0, excess));
      this.state.actions = this.state.actions.filter((action) => !old.has(action));
    }
  }
}

function read(file: string): State | undefined {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
  try {
    const state = JSON.parse(text) as State;
    if (state.version === 1) {
      return state;
    }
  } catch {
    // Reported below, like a foreign version.
  }
  throw new OperatorError({
    key: file,
    found: "no state of the simulated Hetzner",
    fix: "remove the sandbox with `npm run sandbox:down` and start it again",
  });
}
