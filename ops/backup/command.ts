import { OperatorError } from "../../shared/errors.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import { typed } from "../deletion/guarded-up.ts";
import { checkServices } from "../smoke/command.ts";
import { StackFile } from "../stack/config-file.ts";
import { onServer } from "../stack/on-server.ts";
import { createScreen } from "../stack/terminal.ts";
import { type BackupList, backupsTable, type RestorePlan, restoreText } from "./tables.ts";

const RUNNER = "sudo -n /usr/local/lib/vpai/backup";
/** As a unit of its own: it goes on to its end when the connection is lost. */
const LONG_RUN = "sudo -n systemd-run --quiet --wait --collect --pipe /usr/local/lib/vpai/backup";

interface BackupOptions extends StackChoice {
  readonly services: readonly string[];
  readonly acceptSmaller: boolean;
}

/** `vpai backup`. */
export async function runBackup({ services, acceptSmaller, ...choice }: BackupOptions): Promise<void> {
  requireBackup(choice);
  services.forEach(requireWord);
  const words = ["run", ...(acceptSmaller ? ["--accept-smaller"] : []), ...services];
  await runner(choice, LONG_RUN, words, true);
}

/** `vpai backups`. */
export async function runBackups({ json, ...choice }: StackChoice & { readonly json: boolean }): Promise<void> {
  requireBackup(choice);
  const list = JSON.parse(await runner(choice, RUNNER, ["list"])) as BackupList;
  process.stdout.write(json ? `${JSON.stringify(list, undefined, 2)}\n` : backupsTable(list, Date.now()));
}

interface RestoreOptions extends StackChoice {
  readonly service: string;
  readonly snapshot?: string;
  /** A moment: the newest copies up to then. */
  readonly at?: string;
  readonly yes: boolean;
  /** Does not save first what is overwritten. */
  readonly withoutSafety: boolean;
}

/** `vpai restore`. */
export async function runRestore({
  service,
  snapshot,
  at,
  yes,
  withoutSafety,
  ...choice
}: RestoreOptions): Promise<void> {
  requireBackup(choice);
  const words = [
    service,
    ...(snapshot === undefined ? [] : ["--snapshot", snapshot]),
    ...(at === undefined ? [] : ["--at", requireMoment(at)]),
  ];
  words.forEach(requireWord);
  if (!yes && !process.stdin.isTTY) {
    throw new OperatorError({
      key: `vpai restore --service ${service}`,
      found: "stdin is not a terminal; cannot ask for confirmation",
      fix: "add --yes: what the service has now is overwritten",
    });
  }
  const screen = createScreen();
  const plan = JSON.parse(await runner(choice, RUNNER, ["plan", ...words])) as RestorePlan;
  screen.line(restoreText(service, choice.stack, plan, withoutSafety));
  if (!yes && !(await typed(`Overwrite them? Type "${service}" to continue: `, service)))
    return screen.line("nothing was changed");
  await runner(choice, LONG_RUN, ["restore", ...words, ...(withoutSafety ? ["--without-safety"] : [])], true);
  await checkServices(choice, plan.stops, (line) => screen.line(line));
}

function requireBackup(choice: StackChoice): void {
  requireChoice(choice);
  const { stack } = choice;
  if (StackFile.read(stack).backup !== undefined) return;
  throw new OperatorError({
    key: `vpai:backup of stack ${stack}`,
    found: "not set: nothing is saved",
    allowed: "an S3 service and a bucket",
    fix: "docs/operations.md#backups has the three commands",
  });
}

/** Words go through a shell on the server. */
function requireWord(word: string): void {
  if (/^[\w.:+-]+$/.test(word)) return;
  throw new OperatorError({
    key: "the name of a service, a snapshot or a moment",
    found: word,
    allowed: "letters, digits and _ . : + -",
    fix: "correct it",
  });
}

function requireMoment(text: string): string {
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return new Date(time).toISOString();
  throw new OperatorError({
    key: "--at",
    found: text,
    allowed: "a moment such as 2026-11-27T03:00 in this machine's time zone, or with one: 2026-11-27T03:00Z",
    fix: "correct it; `vpai backups` lists what there is",
  });
}

/** Runs the runner on the server; answers what it printed, or shows it as it comes. */
function runner(choice: StackChoice, program: string, words: readonly string[], shown = false): Promise<string> {
  const { stack } = choice;
  return onServer({
    stack,
    config: requireSshConfig(choice),
    words: [program, ...words],
    shown,
    fault: (lastLine, all) => {
      // As the runner ends: `backup: what is wrong; allowed: …; do: …`, of which the last two may be missing.
      const text = lastLine.replace(/^backup: /, "");
      const [, found = text, allowed, fix] = /^(.*?)(?:; allowed: (.*?))?(?:; do: (.*))?$/.exec(text) ?? [];
      return {
        key: `backup of stack ${stack}`,
        found: /vpai\/backup: (command not found|No such file)/.test(all) ? "not installed on the server" : found,
        ...(allowed !== undefined && { allowed }),
        fix: fix ?? `\`vpai up --stack ${stack}\` installs and proves it again; what came of each item is above`,
      };
    },
  });
}
