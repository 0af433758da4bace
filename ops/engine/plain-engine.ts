/** The engine as an operator types it: through `vpai pulumi`, since it need not be on any PATH. */

/** Subcommands of the engine that mean something before there is any stack, or make one themselves. */
const STACKLESS = /^(about|help|login|logout|plugin|version|whoami|stack (init|ls))\b/;

/** Whether the engine, called so, works on a stack. */
export function needsStack(args: readonly string[]): boolean {
  const help = args.some((arg) => arg === "--help" || arg === "-h");
  return args.length > 0 && !help && !STACKLESS.test(args.join(" "));
}

/** The engine's environment with the stack chosen. Its own variable, since not every subcommand takes `--stack`. */
export function withStack(env: Readonly<Record<string, string>>, stack: string): Record<string, string> {
  return { ...env, PULUMI_STACK: stack };
}

/** Rewrites advice that names the plain engine's commands for users of vpai. */
export function throughVpai(advice: string, stack: string): string {
  return advice.replaceAll("`pulumi ", `\`./vpai pulumi --stack ${stack} -- `);
}

/** Global flags of the engine that take the next word as their value. */
const WITH_VALUE = /^(--color|--cwd|-C|--memprofilerate|--otel-traces|--profiling|--tracing|--verbose|-v|--stack|-s)$/;

/** Whether the engine, called so, deletes a stack's resources; `down` and `dn` are its aliases of `destroy`. */
export function destroys(args: readonly string[]): boolean {
  const harmless = args.some((arg) => /^(--help|-h|--preview-only(=true)?)$/.test(arg));
  const verb = args.find((arg, index) => !arg.startsWith("-") && !WITH_VALUE.test(args[index - 1] ?? ""));
  return !harmless && /^(destroy|down|dn)$/.test(verb ?? "");
}

/** The stack that the operator names among the engine's own arguments. */
export function namedStack(args: readonly string[]): string | undefined {
  const at = args.findIndex((arg) => /^(--stack|-s)(=|$)/.test(arg));
  return at < 0 ? undefined : (/=(.*)$/.exec(args[at] ?? "")?.[1] ?? args[at + 1]);
}
