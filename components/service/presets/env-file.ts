/** Where {@link envFile}'s text has to lie below the service's configDir. */
export const ENV_FILE = "secrets/env";

/**
 * An entrypoint for a product that takes secrets only from its environment: reads them from a file that the
 * container's user alone can read, so that neither `docker inspect` nor the state shows them. `$@` is the command.
 */
export function withEnvFile(configDir: string, entrypoint: readonly string[] = []): readonly string[] {
  const script = `set -a && . ${configDir}/${ENV_FILE} && set +a && exec "$@"`;
  return ["sh", "-c", script, "--", ...entrypoint];
}

/** Lines that a POSIX shell reads; values may hold anything but a line's end. */
export function envFile(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => {
      if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) throw new Error(`invalid environment variable name: ${name}`);
      if (/[\r\n]/.test(value)) throw new Error(`${name} has more than one line`);
      return `${name}='${value.replaceAll("'", `'\\''`)}'\n`;
    })
    .join("");
}
