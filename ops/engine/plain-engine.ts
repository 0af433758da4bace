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
  return advice.replaceAll("`pulumi ", `\`npx vpai pulumi --stack ${stack} -- `);
}
