import { type Command, CommanderError } from "commander";
import { OperatorError } from "../../shared/errors.ts";
import { buildCli } from "./program.ts";
import { instanceIn, runnable } from "./runnable.ts";
import { knownStacks } from "../stack/context.ts";

/** `vpai images check`: the words that lead to a command. */
const pathOf = (command: Command): string =>
  command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;

/** Runs the command line; the exit code. An OperatorError is for the operator to fix, anything else is a bug. */
export async function runCli(argv: readonly string[]): Promise<number> {
  const cli = buildCli();
  for (const command of [cli, ...cli.commands, ...cli.commands.flatMap((each) => each.commands)]) {
    command.exitOverride();
    command.showHelpAfterError(`(\`./${pathOf(command)} --help\` explains)`);
  }
  try {
    await cli.parseAsync([...argv]);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander names the missing `--stack`, not its allowed values.
      const stackMissing = error.code === "commander.missingMandatoryOptionValue";
      if (stackMissing) process.stderr.write(`  allowed: --stack ${knownStacks().join(", --stack ")}\n`);
      return error.exitCode;
    }
    if (error instanceof OperatorError) {
      process.stderr.write(`\n${runnable(error.message, instanceIn(argv))}\n`);
      return 1;
    }
    process.stderr.write(
      `\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n\nThis is a bug in vpai.\n`,
    );
    return 1;
  }
}
