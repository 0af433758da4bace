/** What a completion script has to know of a command. */
export interface CommandTree {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly { readonly flag: string; readonly summary: string; readonly values?: readonly string[] }[];
  /** Words that an argument may be. */
  readonly words: readonly string[];
  readonly commands: readonly CommandTree[];
}

/** The part of a commander Command that is read here. */
interface CommandLike {
  name(): string;
  summary(): string;
  readonly options: readonly {
    readonly long?: string | null;
    readonly description: string;
    readonly argChoices?: readonly string[];
  }[];
  readonly registeredArguments: readonly { readonly argChoices?: readonly string[] }[];
  readonly commands: readonly CommandLike[];
}

/** `one of a, b` → a and b: the options of commands say their values in words, not as commander choices. */
function valuesOf(description: string, choices: readonly string[] | undefined): readonly string[] | undefined {
  return choices ?? /^one of (.+)$/.exec(description)?.[1]?.split(", ");
}

export function treeOf(command: CommandLike): CommandTree {
  return {
    name: command.name(),
    summary: command.summary(),
    options: command.options.flatMap(({ long, description, argChoices }) => {
      const values = valuesOf(description, argChoices);
      return long ? [{ flag: long, summary: description, ...(values ? { values } : {}) }] : [];
    }),
    words: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    commands: command.commands.map(treeOf),
  };
}

interface Place {
  /** Command words after the first, such as `sandbox down`; empty at the top. */
  readonly path: string;
  readonly node: CommandTree;
}

function places(node: CommandTree, path: readonly string[] = []): Place[] {
  return [{ path: path.join(" "), node }, ...node.commands.flatMap((child) => places(child, [...path, child.name]))];
}

const offers = ({ commands, words, options }: CommandTree): string[] => [
  ...commands.map(({ name }) => name),
  ...words,
  ...options.map(({ flag }) => flag),
  "--help",
];

function valueLines(all: readonly Place[], line: (flag: string, values: readonly string[]) => string): string[] {
  const seen = new Map<string, readonly string[]>();
  for (const { node } of all) for (const { flag, values } of node.options) if (values) seen.set(flag, values);
  return [...seen].map(([flag, values]) => line(flag, values));
}

function bash(tree: CommandTree): string {
  const all = places(tree);
  const { name } = tree;
  return [
    `_${name}() {`,
    '  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}" path="" word offers=""',
    '  case "$prev" in',
    ...valueLines(
      all,
      (flag, values) => `    ${flag}) COMPREPLY=($(compgen -W "${values.join(" ")}" -- "$cur")); return ;;`,
    ),
    "  esac",
    '  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do',
    '    case "${path:+$path }$word" in',
    `      ${all.flatMap(({ path }) => (path === "" ? [] : [`"${path}"`])).join("|")}) path="\${path:+$path }$word" ;;`,
    "    esac",
    "  done",
    '  case "$path" in',
    ...all.map(({ path, node }) => `    "${path}") offers="${offers(node).join(" ")}" ;;`),
    "  esac",
    '  COMPREPLY=($(compgen -W "$offers" -- "$cur"))',
    "}",
    `complete -F _${name} ${name}`,
    "",
  ].join("\n");
}

function zsh(tree: CommandTree): string {
  return ["autoload -U +X compinit && compinit", "autoload -U +X bashcompinit && bashcompinit", bash(tree)].join("\n");
}

const quoted = (text: string): string => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;

function fish(tree: CommandTree): string {
  const { name } = tree;
  const top = tree.commands.map((child) => child.name).join(" ");
  const lines = places(tree).flatMap(({ path, node }) => {
    const [first, second] = path.split(" ");
    const inner = node.commands.map((child) => child.name).join(" ");
    const conditions = [
      path === "" ? `not __fish_seen_subcommand_from ${top}` : `__fish_seen_subcommand_from ${first ?? ""}`,
      ...(second === undefined ? [] : [`__fish_seen_subcommand_from ${second}`]),
      ...(path !== "" && inner !== "" ? [`not __fish_seen_subcommand_from ${inner}`] : []),
    ];
    const when = `complete -c ${name} -f -n ${quoted(conditions.join("; and "))}`;
    return [
      ...node.commands.map((child) => `${when} -a ${child.name} -d ${quoted(child.summary)}`),
      ...node.words.map((word) => `${when} -a ${word}`),
      ...node.options.map(({ flag, summary, values }) => {
        const takes = values ? ` -x -a ${quoted(values.join(" "))}` : "";
        return `${when} -l ${flag.slice(2)}${takes} -d ${quoted(summary)}`;
      }),
    ];
  });
  return [...lines, ""].join("\n");
}

/** A completion script for `shell`, made from the commands as they are. */
export function completionScript(shell: "bash" | "zsh" | "fish", tree: CommandTree): string {
  return { bash, zsh, fish }[shell](tree);
}
