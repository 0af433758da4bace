import { expect, test } from "@jest/globals";
import { instanceIn, runnable } from "../../../ops/cli/runnable.ts";

test.each<[string, string | undefined, string]>([
  ["run `vpai recover --stack sandbox` on box", "try", "run `./vpai recover --stack sandbox --instance try` on box"],
  ["run `vpai recover --stack prod`", "try", "run `./vpai recover --stack prod`"],
  ["`npx vpai sandbox fault clear`, then", "try", "`./vpai sandbox fault clear --instance try`, then"],
  ["`npx vpai start`", undefined, "`./vpai start`"],
  ["`vpai start --instance other`", "try", "`./vpai start --instance other`"],
  ["`vpai ssh`", "try", "`./vpai ssh --instance try`"],
  ["`vpai ssh --stack prod -- docker ps`", "try", "`./vpai ssh --stack prod -- docker ps`"],
  [
    "`vpai pulumi --stack sandbox -- stack export`",
    "try",
    "`./vpai pulumi --stack sandbox --instance try -- stack export`",
  ],
  ["run `npm start`: it publishes", "try", "run `npm start -- --instance try`: it publishes"],
  ["run `npm run sandbox:down` first", undefined, "run `npm run sandbox:down` first"],
  ["the `vpai` command", "try", "the `vpai` command"],
])("%s, instance %s", (text, instance, expected) => expect(runnable(text, instance)).toBe(expected));

test.each<[string[], string | undefined]>([
  [["up", "--stack", "sandbox"], undefined],
  [["up", "--instance", "try"], "try"],
  [["up", "--instance=try"], "try"],
  [["up", "--instance", "sandbox"], undefined],
  [["pulumi", "--", "--instance", "engine"], undefined],
])("the instance of %j", (argv, expected) => expect(instanceIn(argv)).toBe(expected));
