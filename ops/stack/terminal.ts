/** Where a command writes what it does. Results that another program reads go to stdout instead. */
export interface Screen {
  /** A line that stays. */
  line(text: string): void;
  /** On a terminal, a line that shows what is under way until it is stopped; elsewhere nothing. */
  live(texts: () => readonly string[]): { stop(): void };
}

/** The part of a terminal's stream that is used here. */
export interface Terminal {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

const CLEAR = "\r\u001b[K";

/** Joins what is under way into one line no wider than the terminal. */
export function liveLine(texts: readonly string[], columns: number): string {
  const text = `… ${texts.join(", ")}`;
  return text.length < columns ? text : `${text.slice(0, Math.max(columns - 2, 1))}…`;
}

export function createScreen(terminal: Terminal = process.stderr): Screen {
  let shown = false;
  const clear = (): void => {
    if (shown) terminal.write(CLEAR);
    shown = false;
  };
  return {
    line(text) {
      clear();
      terminal.write(`${text}\n`);
    },
    live(texts) {
      if (terminal.isTTY !== true) return { stop: () => undefined };
      const timer = setInterval(() => {
        clear();
        const now = texts();
        if (now.length === 0) return;
        terminal.write(liveLine(now, terminal.columns ?? 80));
        shown = true;
      }, 200);
      return {
        stop() {
          clearInterval(timer);
          clear();
        },
      };
    },
  };
}
