/** Images of a server, as `files/host/images.py` reads them. */
export interface ServerImages {
  readonly containers: readonly { readonly service: string | null; readonly image: string }[];
  readonly images: readonly ServerImage[];
  readonly record: ImageRecord;
}

export interface ServerImage {
  readonly id: string;
  /** `repository@sha256:…`, as Docker writes them. */
  readonly digests: readonly string[];
  readonly tags: readonly string[];
  /** ISO time. */
  readonly created: string;
  readonly size: number;
}

/** By service: the id of the image that it ran after the last prune, and of the one before. */
export type ImageRecord = Readonly<Record<string, { readonly present: string; readonly previous?: string }>>;

export interface PrunePlan {
  readonly remove: readonly { readonly id: string; readonly name: string; readonly size: number }[];
  /** Kept for a way back. */
  readonly keep: readonly { readonly service: string; readonly id: string; readonly name: string }[];
  readonly record: ImageRecord;
}

/** Registry and path of what Docker calls `redis@sha256:…` or `n8nio/n8n@sha256:…`. */
export function repositoryOf(digest: string): string {
  const name = digest.slice(0, digest.lastIndexOf("@"));
  const first = name.split("/")[0] ?? "";
  if (name.includes("/") && /[.:]|^localhost$/.test(first)) return name.replace(/^index\.docker\.io\//, "docker.io/");
  return `docker.io/${name.includes("/") ? name : `library/${name}`}`;
}

/**
 * Which images go. Ours are those of our repositories without a tag, as they are pulled by digest: an image with a tag was
 * pulled or built by the server's owner.
 *
 * @param repositories those of the catalogue and of the stack file
 */
export function planPrune(
  { containers, images, record: before }: ServerImages,
  repositories: ReadonlySet<string>,
): PrunePlan {
  const used = new Set(containers.map(({ image }) => image));
  const ours = images.filter(
    ({ digests, tags }) => tags.length === 0 && digests.some((digest) => repositories.has(repositoryOf(digest))),
  );
  const unused = ours.filter(({ id }) => !used.has(id));
  const services = containers
    .flatMap(({ service, image }) => (service === null ? [] : [{ service, present: image }]))
    .toSorted((a, b) => (a.service < b.service ? -1 : 1));
  const recorded = services.map(({ service, present }) => {
    const last = before[service];
    const candidate =
      last === undefined
        ? newestOf(images.find(({ id }) => id === present)?.digests ?? [], unused)
        : last.present === present
          ? last.previous
          : last.present;
    const previous = images.some(({ id }) => id === candidate) ? candidate : undefined;
    return [service, { present, ...(previous !== undefined && { previous }) }] as const;
  });
  const kept = new Map(recorded.flatMap(([service, { previous }]) => (previous ? [[previous, service] as const] : [])));
  return {
    remove: unused
      .filter(({ id }) => !kept.has(id))
      .map(({ id, digests, size }) => ({ id, name: nameOf(digests), size })),
    keep: unused.flatMap(({ id, digests }) => {
      const service = kept.get(id);
      return service === undefined ? [] : [{ service, id, name: nameOf(digests) }];
    }),
    record: Object.fromEntries(recorded),
  };
}

/** Without a record: the newest of the same repository. */
function newestOf(digests: readonly string[], unused: readonly ServerImage[]): string | undefined {
  const repositories = new Set(digests.map(repositoryOf));
  return unused
    .filter((image) => image.digests.some((digest) => repositories.has(repositoryOf(digest))))
    .toSorted((a, b) => (a.created < b.created ? 1 : -1))[0]?.id;
}

/** `docker.io/n8nio/n8n@sha256:0123456789ab`. */
const nameOf = ([digest = ""]: readonly string[]): string =>
  `${repositoryOf(digest)}@${digest.slice(digest.lastIndexOf("@") + 1).slice(0, 19)}`;

/** `1.2 GB`, as Docker counts: a kB is 1000 bytes. */
export function bytes(count: number): string {
  const unit = count >= 1e9 ? ([1e9, "GB"] as const) : ([1e6, "MB"] as const);
  return `${(count / unit[0]).toFixed(unit[0] === 1e9 ? 1 : 0)} ${unit[1]}`;
}

/** What a prune would do, for `--dry-run`. */
export function renderPlan({ remove, keep }: PrunePlan): string {
  const lines = [
    ...remove.map(({ name, size }) => `would remove  ${name}  ${bytes(size)}`),
    ...keep.map(({ service, name }) => `keeps         ${name}  the one before, of ${service}`),
  ];
  return `${lines.join("\n") || "no unused image"}\n`;
}
