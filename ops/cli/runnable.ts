import { SANDBOX } from "../stack/context.ts";

/** `--instance try` of a command line; undefined for the usual sandbox. */
export function instanceIn(argv: readonly string[]): string | undefined {
  const own = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const at = own.indexOf("--instance");
  const named = at >= 0 ? own[at + 1] : own.find((word) => word.startsWith("--instance="))?.slice("--instance=".length);
  return named === SANDBOX ? undefined : named;
}

/**
 * Commands in a text for operators, between backquotes, as a shell in the clone runs them: by `./vpai`, because `npx vpai`
 * elsewhere would fetch a package of that name from the public registry, and with the instance that this run is about.
 */
export function runnable(text: string, instance?: string): string {
  return text
    .replace(/`(?:npx |\.\/)?vpai ([^`]+)`/g, (_, rest: string) => `\`./vpai ${withInstance(rest, instance)}\``)
    .replace(/`npm (start|run sandbox:\w+)`/g, (whole, name: string) =>
      instance === undefined ? whole : `\`npm ${name} -- --instance ${instance}\``,
    );
}

/** Commands that work on the sandbox without naming its stack. */
const ON_SANDBOX = /^(?:start|ssh|sandbox \S+)\b/;

function withInstance(command: string, instance: string | undefined): string {
  const onSandbox = /--stack sandbox\b/.test(command) || (ON_SANDBOX.test(command) && !/--stack /.test(command));
  if (instance === undefined || !onSandbox || command.includes("--instance")) return command;
  const [own = "", ...rest] = command.split(" -- ");
  return [`${own} --instance ${instance}`, ...rest].join(" -- ");
}
