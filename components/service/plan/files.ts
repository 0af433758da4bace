import { createHash } from "node:crypto";
import type { ServiceContext } from "../model/context.ts";
import type { FileSpec, ServiceDefinition } from "../model/definition.ts";
import type { Reveal } from "../model/facets.ts";
import type { Readback } from "../model/provision.ts";
import { CONFIG_ROOT, DATA_ROOT } from "./container.ts";

/** Input of files/host/files.py. */
export interface HostFiles {
  readonly service: string;
  /** Changes when a file changes that the running service does not pick up; a label of its container. */
  readonly digest: string;
  readonly owner: readonly [uid: number, gid: number];
  readonly data: readonly { readonly path: string; readonly mode: string }[];
  readonly config: {
    readonly path: string;
    readonly files: readonly { readonly path: string; readonly mode: string; readonly content: string }[];
  } | null;
  readonly validate: readonly string[] | null;
  readonly reload: { readonly container: string; readonly image: string; readonly argv: readonly string[] } | null;
  /** For the server's inspection, which reads this in the state. */
  readonly readback?: Readback;
}

/** The files of a service in this deployment. */
export function filesOf({ files = [] }: ServiceDefinition, context: ServiceContext): readonly FileSpec[] {
  return typeof files === "function" ? files(context) : files;
}

/** The service's directories and files on its host. `image` is the one that its files are validated with. */
export function planFiles(
  definition: ServiceDefinition,
  context: ServiceContext,
  image: string,
  reveal: Reveal,
): HostFiles {
  const { name, user, reload } = definition;
  const specs = filesOf(definition, context);
  const files = specs.map(({ path, mode, content }) => ({
    path,
    mode: mode ?? "0400",
    content: content(context, reveal),
  }));
  const config = definition.configDir ? { path: `${CONFIG_ROOT}/${name}`, files } : null;
  const fixed = config && { ...config, files: files.filter((_, index) => !specs[index]?.live) };
  // A container that lacks a new mount cannot take files that name it: it is replaced, and not reloaded before.
  const digested = reload && definition.data ? [fixed, definition.data] : fixed;
  const argv = (words: readonly string[]): string[] => words.map((word) => word.replaceAll("{image}", image));
  return {
    service: name,
    digest: createHash("sha256").update(JSON.stringify(digested)).digest("hex").slice(0, 16),
    owner: [user.uid, user.gid],
    data: (definition.data ?? []).map(({ path, mode }) => ({
      path: [DATA_ROOT, name, path].filter(Boolean).join("/"),
      mode: mode ?? "0700",
    })),
    config,
    validate: reload?.validate ? argv(reload.validate) : null,
    reload: reload ? { container: name, image, argv: argv(reload.argv) } : null,
    ...(definition.readback && { readback: definition.readback(context, reveal) }),
  };
}
