/** How a service's own image checks its files before the running service gets them. */
export interface ImageValidation {
  /** Where the image expects the files. */
  readonly configDir: string;
  /** The program of the image, and its arguments. */
  readonly argv: readonly [program: string, ...args: string[]];
  /** Writable directories besides /tmp. */
  readonly scratch?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/**
 * The `validate` of a {@link file://../model/facets.ts Reload}: a throwaway container of the service's image, without a
 * network, that sees the new files read-only.
 */
export const validateInImage = ({ configDir, argv, scratch = [], environment = {} }: ImageValidation): string[] => {
  const [program, ...args] = argv;
  return [
    "docker",
    "run",
    "--rm",
    "--network",
    "none",
    "--read-only",
    ...[...scratch, "/tmp"].flatMap((path) => ["--tmpfs", path]),
    ...Object.entries(environment).flatMap(([name, value]) => ["--env", `${name}=${value}`]),
    "--volume",
    `{dir}:${configDir}:ro`,
    "--entrypoint",
    program,
    "{image}",
    ...args,
  ];
};
