import { execFileSync } from "node:child_process";
import { expect, test } from "@jest/globals";
import { completionScript, type CommandTree } from "../../../ops/cli/completion.ts";

const leaf = { options: [], words: [], commands: [] };
const tree: CommandTree = {
  ...leaf,
  name: "vpai",
  summary: "",
  commands: [
    {
      ...leaf,
      name: "up",
      summary: "make a stack what the program says",
      options: [
        { flag: "--stack", summary: "one of prod, sandbox", values: ["prod", "sandbox"] },
        { flag: "--yes", summary: "don't ask" },
      ],
    },
    { ...leaf, name: "sandbox", summary: "manage it", commands: [{ ...leaf, name: "down", summary: "remove it" }] },
    { ...leaf, name: "completion", summary: "print it", words: ["bash", "zsh"] },
  ],
};

/** What bash would offer after these words. */
function offered(...words: string[]): string[] {
  const script = [
    completionScript("bash", tree),
    `COMP_WORDS=(vpai ${words.map((word) => `'${word}'`).join(" ")})`,
    `COMP_CWORD=${words.length}`,
    "_vpai",
    'printf "%s\\n" "${COMPREPLY[@]}"',
  ].join("\n");
  return execFileSync("bash", ["-c", script], { encoding: "utf8" }).trim().split("\n");
}

test.each([
  [[""], ["up", "sandbox", "completion", "--help"]],
  [["s"], ["sandbox"]],
  [
    ["up", "--"],
    ["--stack", "--yes", "--help"],
  ],
  [
    ["up", "--stack", ""],
    ["prod", "sandbox"],
  ],
  [["up", "--stack", "p"], ["prod"]],
  [
    ["sandbox", ""],
    ["down", "--help"],
  ],
  [["sandbox", "down", "--"], ["--help"]],
  [["completion", "z"], ["zsh"]],
])("after `vpai %s` bash offers %j", (words, expected) => {
  expect(offered(...words)).toEqual(expected);
});

test("zsh uses the same script through its bash emulation", () => {
  const lines = completionScript("zsh", tree).split("\n");
  expect(lines.slice(0, 2)).toEqual([
    "autoload -U +X compinit && compinit",
    "autoload -U +X bashcompinit && bashcompinit",
  ]);
  expect(lines.slice(2).join("\n")).toBe(completionScript("bash", tree));
});

test("fish gets a line for each word, with its summary", () => {
  const top = "not __fish_seen_subcommand_from up sandbox completion";
  expect(completionScript("fish", tree)).toBe(
    [
      `complete -c vpai -f -n '${top}' -a up -d 'make a stack what the program says'`,
      `complete -c vpai -f -n '${top}' -a sandbox -d 'manage it'`,
      `complete -c vpai -f -n '${top}' -a completion -d 'print it'`,
      "complete -c vpai -f -n '__fish_seen_subcommand_from up' -l stack -x -a 'prod sandbox' -d 'one of prod, sandbox'",
      "complete -c vpai -f -n '__fish_seen_subcommand_from up' -l yes -d 'don\\'t ask'",
      "complete -c vpai -f -n '__fish_seen_subcommand_from sandbox; and not __fish_seen_subcommand_from down' -a down -d 'remove it'",
      "complete -c vpai -f -n '__fish_seen_subcommand_from completion' -a bash",
      "complete -c vpai -f -n '__fish_seen_subcommand_from completion' -a zsh",
      "",
    ].join("\n"),
  );
});
