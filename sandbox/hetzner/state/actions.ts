import { setTimeout as sleep } from "node:timers/promises";

import { timestamp } from "./time.ts";
import { ApiError } from "../wire/errors.ts";
import type { ActionView } from "../wire/types.ts";
import type { ActionRecord, Task } from "./model.ts";
import type { Store } from "./store.ts";

export interface NewAction {
  readonly command: string;
  readonly resources: readonly { readonly id: number; readonly type: string }[];
  readonly task: Task;
  readonly queue: string;
  /** Default true. */
  readonly exclusive?: boolean;
}

/** Runs what an action does; `resumed` when an earlier run of it may have got halfway. */
export type RunTask = (task: Task, resumed: boolean) => Promise<void>;

/** The actions of a project: they take time, and run one after the other within a queue. */
export class Actions {
  readonly #store: Store;
  readonly #now: () => number;
  readonly #delayMs: number;
  readonly #run: RunTask;
  readonly #log: (line: string) => void;
  /** When each began, to the millisecond; the record has whole seconds. */
  readonly #begun = new WeakMap<ActionRecord, number>();
  readonly #queues = new Map<string, Promise<void>>();
  #stopped = false;

  /** @param delayMs the least time an action takes */
  constructor(store: Store, now: () => number, delayMs: number, run: RunTask, log: (line: string) => void) {
    this.#store = store;
    this.#now = now;
    this.#delayMs = delayMs;
    this.#run = run;
    this.#log = log;
  }

  start({ command, resources, task, queue, exclusive = true }: NewAction): ActionRecord {
    const action: ActionRecord = {
      id: this.#store.newId(),
      command,
      status: "running",
      started: timestamp(this.#now()),
      finished: null,
      error: null,
      resources,
      task,
      queue,
      exclusive,
    };
    this.#begun.set(action, this.#now());
    this.#store.state.actions.push(action);
    this.#store.save();
    this.#enqueue(action, false);
    return action;
  }

  isLocked(queue: string): boolean {
    return this.#store.state.actions.some(
      (action) => action.queue === queue && action.exclusive && action.status === "running",
    );
  }

  /** Takes up what a supervisor that was killed left running. */
  resume(): void {
    for (const action of this.#store.state.actions.filter(({ status }) => status === "running")) {
      this.#log(`action ${action.id} ${action.command}: taken up again`);
      this.#enqueue(action, true);
    }
  }

  /** Starts no further action and gives those under way `waitMs` to end. */
  async stop(waitMs: number): Promise<void> {
    this.#stopped = true;
    const quiet = new AbortController();
    await Promise.race([
      Promise.all(this.#queues.values()).then(() => quiet.abort()),
      sleep(waitMs, undefined, { signal: quiet.signal }).catch(() => undefined),
    ]);
  }

  /** As the API shows it. Progress grows with time and is 100 only at the end. */
  view(action: ActionRecord): ActionView {
    const { id, command, status, started, finished, error, resources } = action;
    const elapsed = Math.max(0, this.#now() - (this.#begun.get(action) ?? Date.parse(started)));
    const growing = Math.floor(95 * (1 - Math.exp(-elapsed / (10 * Math.max(1, this.#delayMs)))));
    return { id, command, status, progress: status === "running" ? growing : 100, started, finished, error, resources };
  }

  #enqueue(action: ActionRecord, resumed: boolean): void {
    const before = this.#queues.get(action.queue) ?? Promise.resolve();
    const after = before.then(() => this.#execute(action, resumed));
    this.#queues.set(action.queue, after);
    void after.then(() => {
      if (this.#queues.get(action.queue) === after) {
        this.#queues.delete(action.queue);
      }
    });
  }

  async #execute(action: ActionRecord, resumed: boolean): Promise<void> {
    if (this.#stopped) {
      return;
    }
    try {
      await sleep(this.#delayMs);
      await this.#run(action.task, resumed);
      action.status = "success";
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      action.status = "error";
      action.error = { code: error instanceof ApiError ? error.code : "action_failed", message };
      this.#log(`action ${action.id} ${action.command}: ${message}`);
    }
    action.finished = timestamp(this.#now());
    this.#store.save();
  }
}
