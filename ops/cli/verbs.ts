import { type Command, Option } from "commander";
import { OperatorError } from "../../shared/errors.ts";
import type { Operation } from "../engine/run.ts";
import { examples, instanceOption, stackOption } from "./parts.ts";

const verbs: readonly { verb: Operation; summary: string; more: string; examples: readonly string[] }[] = [
  {
    verb: "up",
    summary: "make a stack what the program says",
    more: "Shows what would change and asks before it does so, except in the sandbox. What an interrupted run left is resolved first.",
    examples: [
      "vpai up --stack prod",
      "vpai up --stack preprod --yes",
      "vpai up --stack prod --only n8n,grafana",
      "vpai up --stack sandbox -- --refresh",
    ],
  },
  {
    verb: "preview",
    summary: "show what `up` would change",
    more: "Changes nothing.",
    examples: ["vpai preview --stack prod", "vpai preview --stack prod -- --diff"],
  },
  {
    verb: "refresh",
    summary: "read the actual state of the stack's resources",
    more: "Changes the state only; `up` then puts things right.",
    examples: ["vpai refresh --stack prod"],
  },
  {
    verb: "destroy",
    summary: "remove everything that a stack made",
    more: "The server and all data on it are lost. Asks first, except in the sandbox.",
    examples: ["vpai destroy --stack preprod --yes", "vpai destroy --stack sandbox"],
  },
];

interface Options {
  readonly stack: string;
  readonly instance: string;
  readonly only?: string[];
  readonly yes?: true;
  readonly verbose?: true;
}

const onlyOption = (): Option =>
  new Option("--only <services>", "these services alone, with what depends on them; commas between them").argParser(
    (text: string) => text.split(",").flatMap((name) => name.trim() || []),
  );

export function addVerbs(program: Command): void {
  for (const { verb, summary, more, examples: lines } of verbs) {
    const command = program
      .command(verb)
      .summary(summary)
      .description(`${summary[0]?.toUpperCase()}${summary.slice(1)}. ${more}`)
      .addOption(stackOption())
      .addOption(instanceOption());
    if (verb === "up" || verb === "preview") command.addOption(onlyOption());
    command
      .option("--yes", "do not ask")
      .option("--verbose", "have everything that the engine can say in the log, without secrets")
      .argument("[flags...]", "after `--`: more flags for the engine, such as --target or --refresh")
      .addHelpText("after", examples(...lines))
      .action(async (flags: string[], options: Options) => {
        const stray = flags.find((flag, index) => index === 0 && !flag.startsWith("-"));
        if (stray !== undefined) {
          throw new OperatorError({
            key: `vpai ${verb}`,
            found: stray,
            allowed: "options, and after `--` flags of the engine",
            fix: `did you mean \`vpai ${verb} --stack ${stray}\`?`,
          });
        }
        const { runStackOperation } = await import("../deploy/operation.ts");
        await runStackOperation(verb, {
          ...options,
          flags,
          yes: options.yes === true,
          verbose: options.verbose === true,
        });
      });
  }
}
