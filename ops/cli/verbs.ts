import { type Command, Option } from "commander";
import { OperatorError } from "../../shared/errors.ts";
import { knownStacks, SANDBOX } from "../stack/context.ts";
import type { Operation } from "../engine/run.ts";
import { examples, fullRunOption, instanceOption, offlineOption, skipInspectOption, stackOption } from "./parts.ts";

const verbs: readonly { verb: Operation; summary: string; more: string; examples: readonly string[] }[] = [
  {
    verb: "up",
    summary: "make a stack what the program says",
    more: "Inspects the server first, and repairs what differs from what the last run left (`vpai drift` shows it). Shows what\nwould change and asks before it does so, except in the sandbox. What an interrupted run left is resolved first.\nA run that would delete the server, its address, a permanent secret or many resources stops first, everywhere, and\nwants the stack's name typed.",
    examples: [
      "vpai up --stack prod",
      "vpai up --stack preprod --yes",
      "vpai up --stack prod --only n8n,grafana",
      "vpai up --stack sandbox -- --refresh",
      "vpai up --stack preprod --yes --allow-delete preprod",
    ],
  },
  {
    verb: "preview",
    summary: "show what `up` would change",
    more: "Changes nothing, neither the stack's file nor its backend.",
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
    more: "A server at Hetzner and all data on it are lost. From a server of your own, files with secrets and what was installed are removed; its data and root's login stay. Asks first, except in the sandbox. Refuses a protected stack.",
    examples: [
      "vpai destroy --stack preprod --yes",
      "vpai destroy --stack sandbox",
      "vpai destroy --stack prod --with-data",
    ],
  },
];

interface Options {
  readonly stack: string;
  readonly instance: string;
  readonly only?: string[];
  readonly yes?: true;
  readonly allowDelete?: string;
  readonly keep?: true;
  readonly withData?: true;
  readonly verbose?: true;
  readonly offline?: true;
  readonly skipInspect?: true;
  readonly fullRun?: true;
}

const allowDelete = {
  up: "the stack's name, where a run that loses data cannot ask for it",
  destroy:
    "the stack's name: also delete servers with the stack's label that its state does not know, and data without asking",
};

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
    if (verb === "up" || verb === "preview") command.addOption(onlyOption()).addOption(offlineOption());
    if (verb === "up") command.addOption(skipInspectOption()).addOption(fullRunOption());
    if (verb === "up" || verb === "destroy") command.option("--allow-delete <stack>", allowDelete[verb]);
    if (verb === "destroy")
      command
        .option("--keep", "leave files and what was installed on a server of your own")
        .option("--with-data", "delete the data on a server of your own too; wants the stack's name typed");
    command
      .option("--yes", "do not ask, unless something would be lost")
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
        if (verb === "up" && isPlain(flags, options)) {
          const { tryFastUp } = await import("../fast-path/command.ts");
          const asks = options.stack !== SANDBOX && options.yes !== true;
          if (await tryFastUp({ ...options, asks })) return;
        }
        const { runStackOperation } = await import("../deploy/operation.ts");
        await runStackOperation(verb, {
          ...options,
          flags,
          yes: options.yes === true,
          leave: { keep: options.keep === true, withData: options.withData === true },
          verbose: options.verbose === true,
          offline: options.offline === true,
          skipInspect: options.skipInspect === true,
        });
      });
  }
}

/** Whether an `up` is one of everything, of which nothing special is wanted. */
function isPlain(flags: readonly string[], options: Options): boolean {
  const { stack, instance, yes, only, verbose, skipInspect, fullRun } = options;
  const knows = knownStacks().includes(stack) && (stack === SANDBOX || instance === SANDBOX);
  const answers = stack === SANDBOX || yes === true || process.stdin.isTTY;
  const special = [only, verbose, skipInspect, fullRun].some((option) => option !== undefined);
  return knows && answers && !special && flags.length === 0;
}
