import { openSync, closeSync, readSync, rmSync } from "node:fs";
import { parseEvent, type EngineEvent } from "./progress.ts";

/** Something that reads along. */
export interface Follower {
  /** Reads what is left and stops. */
  finish(): Promise<void>;
}

/**
 * Reads an event log while the engine writes it. The file loses its name as soon as the engine has it open: the
 * engine's debug events hold secrets, and a killed run must not leave them behind. Looked at 20 times a second;
 * file watching does not work on every file system.
 */
export function followEvents(file: string, onEvent: (event: EngineEvent) => void): Follower {
  const fd = openSync(file, "r");
  const chunk = Buffer.alloc(1 << 16);
  let rest = Buffer.alloc(0);
  let named = true;
  const read = (): void => {
    for (let size = readSync(fd, chunk); size > 0; size = readSync(fd, chunk)) {
      if (named) rmSync(file, { force: true });
      named = false;
      rest = Buffer.concat([rest, chunk.subarray(0, size)]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const event = parseEvent(rest.toString("utf8", 0, end));
        rest = rest.subarray(end + 1);
        if (event) onEvent(event);
      }
    }
  };
  const timer = setInterval(read, 50);
  return {
    finish: async () => {
      clearInterval(timer);
      read();
      closeSync(fd);
      return Promise.resolve();
    },
  };
}
