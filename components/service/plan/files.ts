import { createHash } from "node:crypto";
import type { FileSpec, SecretValues, ServiceContext, ServiceDefinition } from "../model/definition.ts";
import { CONFIG_ROOT, DATA_ROOT } from "./container.ts";

/** What `files/host/files.py` reads. */
export interface HostFiles {
  readonly service: string;
  /** Changes when a file does of which the running service takes no change; a label of its container. */
  readonly digest: string;
  readonly owner: readonly [uid: number, gid: number];
  readonly data: readonly { readonly path: string; readonly mode: string }[];
  readonly config: {
    readonly path: string;
    readonly files: readonly { readonly path: string; readonly mode: string; readonly content: string }[];
  } | null;
  readonly validate: readonly string[] | null;
  readonly reload: { readonly container: string; readonly image: string; readonly argv: readonly string[] } | null;
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
  const specs = filesOf(definition, context);
  const files = specs.map((file) => ({
    path: file.path,
    mode: file.mode ?? "0400",
    content: "text" in file ? file.text(context) : file.render(only(secrets, file.secrets), context),
  }));
  const config = definition.configDir ? { path: `${CONFIG_ROOT}/${name}`, files } : null;
  const fixed = config && { ...config, files: files.filter((_, index) => !specs[index]?.live) };
  const argv = (words: readonly string[]): string[] => words.map((word) => word.replaceAll("{image}", image));
  return {
    service: name,
    digest: createHash("sha256").update(JSON.stringify(fixed)).digest("hex").slice(0, 16),
    owner: [user.uid, user.gid],
    data: (definition.data ?? []).map(({ path, mode }) => ({
      path: [DATA_ROOT, name, path].filter(Boolean).join("/"),
      mode: mode ?? "0700",
    })),
    config,
    validate: reload?.validate ? argv(reload.validate) : null,
    reload: reload ? { container: name, image, argv: argv(reload.argv) } : null,
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
