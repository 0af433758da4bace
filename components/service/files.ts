import { createHash } from "node:crypto";
import type { FileSpec, SecretValues, ServiceContext, ServiceDefinition } from "./definition.ts";
import { CONFIG_ROOT, DATA_ROOT } from "./plan.ts";

/** What `files/host/files.py` reads. */
export interface HostFiles {
  readonly service: string;
  readonly owner: readonly [uid: number, gid: number];
  readonly data: readonly { readonly path: string; readonly mode: string }[];
  readonly config: {
    readonly path: string;
    readonly files: readonly { readonly path: string; readonly mode: string; readonly content: string }[];
  } | null;
  readonly validate: readonly string[] | null;
  readonly reload: { readonly container: string; readonly argv: readonly string[] } | null;
}

/** The files that a service has in this deployment. */
export function filesOf({ files = [] }: ServiceDefinition, context: ServiceContext): readonly FileSpec[] {
  return typeof files === "function" ? files(context) : files;
}

/** Names of the secrets that a service's files are made of. */
export function secretsOfFiles(definition: ServiceDefinition, context: ServiceContext): string[] {
  return [...new Set(filesOf(definition, context).flatMap((file) => ("secrets" in file ? file.secrets : [])))].sort();
}

/** The service's directories and files on its host, given the values of {@link secretsOfFiles}. */
export function planFiles(
  definition: ServiceDefinition,
  context: ServiceContext,
  image: string,
  secrets: SecretValues,
): HostFiles {
  const { name, user, reload } = definition;
  const files = filesOf(definition, context).map((file) => ({
    path: file.path,
    mode: file.mode ?? "0400",
    content: "text" in file ? file.text(context) : file.render(only(secrets, file.secrets), context),
  }));
  const argv = (words: readonly string[]): string[] => words.map((word) => word.replaceAll("{image}", image));
  return {
    service: name,
    owner: [user.uid, user.gid],
    data: (definition.data ?? []).map(({ path, mode }) => ({
      path: [DATA_ROOT, name, path].filter(Boolean).join("/"),
      mode: mode ?? "0700",
    })),
    config: definition.configDir ? { path: `${CONFIG_ROOT}/${name}`, files } : null,
    validate: reload ? argv(reload.validate) : null,
    reload: reload ? { container: name, argv: argv(reload.argv) } : null,
  };
}

/** A file is made of the secrets that it names: one that it forgot to name is a fault of its service. */
export function only(values: SecretValues, names: readonly string[]): SecretValues {
  return Object.fromEntries(
    names.map((name) => {
      const value = values[name];
      if (value === undefined) throw new Error(`no secret is called ${name}`);
      return [name, value];
    }),
  );
}

/** Sixteen hexadecimal digits that change when a file does. */
export function filesDigest(files: HostFiles): string {
  return createHash("sha256").update(JSON.stringify(files.config)).digest("hex").slice(0, 16);
}
