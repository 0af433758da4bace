import { duration } from "../engine/progress.ts";
import { SANDBOX } from "../stack/context.ts";

export interface RunEnd {
  readonly instance: string;
  readonly links: Readonly<Record<string, string>>;
  /** Services that a fake stands for. */
  readonly fakes: readonly string[];
  /** Where the engine ran. */
  readonly log?: string;
  readonly changed: boolean;
  readonly ms: number;
}

/** The end of `start`'s output: links, credentials, next steps. */
export function renderSummary({ instance, links, fakes, log, changed, ms }: RunEnd): string {
  const flag = instance === SANDBOX ? "" : ` --instance ${instance}`;
  const width = Math.max(...Object.keys(links).map((name) => name.length), 0);
  const toNpm = flag === "" ? "" : ` --${flag}`;
  const next = [
    [`npm start${toNpm}`, changed ? "again: nothing changes" : "after a change of components/images.ts, say"],
    [`./vpai sandbox power-cut${flag}`, "then npm start"],
    [`npm run sandbox:down${toNpm}`, "removes it all"],
  ];
  const column = Math.max(...next.map(([command = ""]) => command.length));
  return [
    "",
    `${changed ? "The stack is up" : "Stack is up to date"}, ${duration(ms)}.`,
    "",
    ...Object.entries(links).map(([name, link]) => `  ${name.padEnd(width)}  ${link}`),
    "",
    ...(fakes.length === 0 ? [] : [`Fakes here: ${fakes.join(", ")}; what they lack: docs/sandbox.md`]),
    "The certificates come from the sandbox's own authority: a browser warns, `curl --insecure` does not.",
    `Credentials   ./vpai output --stack sandbox${flag}`,
    `Log in        ./vpai ssh${flag}`,
    ...(log === undefined ? [] : [`Full output   ${log}`]),
    "",
    "To try next:",
    ...next.map(([command = "", what = ""]) => `  ${command.padEnd(column)}   ${what}`),
    "",
  ].join("\n");
}
