/** Types of what lists an image's platforms, and of what is one platform's image. */
const INDEX_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
const IMAGE_TYPES = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];

/** What a client accepts, as a header: without it, a registry may answer in an older form. */
export const MANIFEST_TYPES = [...INDEX_TYPES, ...IMAGE_TYPES].join(", ");

export const isIndex = (type: string): boolean => INDEX_TYPES.includes(type);

/** A registry's answer, of any status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export function header({ headers }: Pick<Answer, "headers">, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** An answer's JSON; undefined when it is none, such as the page of a proxy in between. */
export function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The message in an error of the distribution specification. */
export function errorIn(body: string): string | undefined {
  const { errors } = (jsonIn(body) ?? {}) as { errors?: readonly { message?: string }[] };
  return errors?.[0]?.message;
}

/** The address of a list's next page, by its `Link` header (RFC 8288); of the same registry alone. */
export function nextPage(link: string | undefined, page: URL): URL | undefined {
  const [, target] = /<([^>]*)>\s*;[^,]*\brel="?next"?/i.exec(link ?? "") ?? [];
  if (target === undefined || !URL.canParse(target, page.href)) return undefined;
  const next = new URL(target, page);
  return next.origin === page.origin ? next : undefined;
}

/** A registry that does not do its part, after every try: the question stays open. */
export class RegistryTrouble extends Error {
  /** Seconds until the registry wants to be asked again, if it says so. */
  readonly retryAfterSeconds: number | undefined;

  constructor(reason: string, retryAfterMs?: number) {
    super(reason);
    this.name = "RegistryTrouble";
    this.retryAfterSeconds = retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1_000);
  }

  /** The message with the time that the registry asks for. */
  inWords(): string {
    const later = this.retryAfterSeconds === undefined ? "" : `, to be asked again in ${this.retryAfterSeconds} s`;
    return `${this.message}${later}`;
  }
}
