import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { planSecrets } from "../../components/service/plan/secrets.ts";
import { OperatorError } from "../../shared/errors.ts";
import { catalogue, deployedServices } from "../../stacks/catalogue.ts";
import { type PurgeChoice, planPurge, purgeCommand, type PurgePlan } from "./purge-plan.ts";
import { createScreen } from "../stack/terminal.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { StackFile } from "../stack/config-file.ts";
import { onServer } from "../stack/on-server.ts";
import { PROJECT_ROOT } from "../../shared/paths.ts";

interface PurgeOptions extends StackChoice {
  readonly service: string;
  readonly database?: string;
  readonly yes: boolean;
}

/** `vpai purge`. */
export async function runPurge(options: PurgeOptions): Promise<void> {
  requireChoice(options);
  const { stack, service, database, yes } = options;
  const plan = planned(options);
  const config = requireSshConfig(options);
  if (!yes && !process.stdin.isTTY) {
    throw new OperatorError({
      key: `vpai purge --service ${service}`,
      found: "stdin is not a terminal; cannot ask for confirmation",
      fix: "add --yes: what it removes is lost",
    });
  }
  const screen = createScreen();
  const found = await runScript(stack, config, plan);
  const ownDatabase = catalogue.find(({ name }) => name === service)?.database?.name;
  if (ownDatabase !== undefined && database === undefined)
    screen.line(`its database stays: --database ${ownDatabase} removes it too`);
  if (found === "") return screen.line(`nothing of ${service} is left`);
  screen.line(`on the server of stack ${stack}, to be deleted permanently:\n${found}`);
  if (!yes && !(await typedBack(service))) return screen.line("nothing was removed");
  await runScript(stack, config, { ...plan, mode: "remove" });
  screen.line(`nothing of ${service} is left`);
}

function planned(choice: PurgeChoice): PurgePlan {
  const kept = deployedServices(StackFile.read(choice.stack));
  return planPurge(
    choice,
    kept.map((definition) => ({
      name: definition.name,
      ...(definition.database && { database: definition.database.name }),
      permanent: Object.entries(planSecrets([definition])).flatMap(([name, spec]) => (spec.permanent ? [name] : [])),
    })),
  );
}

async function typedBack(service: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`Delete them? Type "${service}" to continue: `);
  terminal.close();
  return answer.trim() === service;
}

/** Runs the script on the server; answers what it printed. */
async function runScript(stack: string, config: string, plan: PurgePlan): Promise<string> {
  return onServer({
    stack,
    config,
    words: purgeCommand(plan),
    input: await readFile(join(PROJECT_ROOT, "files", "host", "purge.py"), "utf8"),
    fault: (found) => ({
      key: `data of ${plan.service}`,
      found,
      allowed: "what no container uses and no other service has",
      fix: `\`vpai up --stack ${stack}\` removes the container of a service that was taken out; then purge again`,
    }),
  });
}
