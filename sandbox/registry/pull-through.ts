import { readFile, rm } from "node:fs/promises";
import { get } from "node:http";
import type { IncomingMessage } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { errorIn, MANIFEST_TYPES } from "../../shared/registry/response.ts";
import { type Addresses, addressOf } from "../../shared/registry/upstream.ts";
import { cachePath, contentKey } from "../../toolchain/cache.ts";
import { type Backend, startBackend } from "./backend.ts";
import { BlobStore, type Descriptor } from "./blob-store.ts";

/** The registries that images are pulled from, as references name them, with the names that their servers have. */
export const UPSTREAM: Readonly<Record<string, readonly string[]>> = {
  "docker.io": ["registry-1.docker.io", "index.docker.io", "auth.docker.io"],
  "ghcr.io": ["ghcr.io"],
  "quay.io": ["quay.io"],
  "docker.n8n.io": ["docker.n8n.io"],
};

/** The layout of what is kept: with another number, what an older version has left is not read. */
const VERSION = "1";

/** Where what was pulled is kept; what came from replaced addresses in a folder of its own. */
export function pulledFolder(addresses: Addresses): string {
  const replaced = Object.keys(addresses).length > 0;
  return cachePath("upstream", replaced ? `${VERSION}-${contentKey(JSON.stringify(addresses))}` : VERSION);
}

/** How long a download may stand still. */
const STALL_MS = 60_000;
const LOOK_AGAIN_MS = 50;

export interface CachesOptions {
  /** One folder below it for each registry. */
  readonly directory: string;
  readonly addresses: Addresses;
  /** @default Debian's docker-registry */
  readonly binary?: string | undefined;
  /** Where proxies and authorities of the machine's own are read. */
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
  /** @default one minute */
  readonly stallMs?: number;
}

/** What a cache answers: what was asked for, or why it has none. */
export type Fetched = { readonly body: string } | { readonly why: string };

/** A docker-registry that fetches from one registry what it does not have. */
export class PullThrough {
  readonly store: BlobStore;
  readonly address: string;
  /** Whether it can fetch: without an answer of the registry it only serves what it has. */
  readonly online: boolean;
  readonly #backend: Backend;
  readonly #failures: Map<string, string>;
  readonly #stallMs: number;

  private constructor(
    store: BlobStore,
    backend: Backend,
    online: boolean,
    failures: Map<string, string>,
    stallMs: number,
  ) {
    this.store = store;
    this.address = backend.address;
    this.online = online;
    this.#backend = backend;
    this.#failures = failures;
    this.#stallMs = stallMs;
  }

  static async start(registry: string, options: CachesOptions): Promise<PullThrough> {
    const { directory, addresses, binary, env, log } = options;
    const store = join(directory, registry);
    const failures = new Map<string, string>();
    const onLine = (line: string): void => {
      const failure = storingFailure(line);
      if (failure) failures.set(failure.digest, failure.why);
      if (!/broken pipe|superfluous response/.test(line)) log(`${registry}: ${line}`);
    };
    await removeUnreadable(join(store, "scheduler-state.json"));
    const common = { store, binary, log: onLine, env: outsideEnv(env) };
    const more = { proxy: { remoteurl: addressOf(registry, addresses) } };
    const made = (backend: Backend, online: boolean): PullThrough =>
      new PullThrough(new BlobStore(store), backend, online, failures, options.stallMs ?? STALL_MS);
    try {
      return made(await startBackend({ ...common, more }), true);
    } catch (error) {
      // It does not start where its registry does not answer; what it has can be served all the same.
      log(`${registry}: without its registry: ${(error as Error).message}`);
      return made(await startBackend(common), false);
    }
  }

  /** A manifest by its digest. */
  async manifest(repository: string, digest: string): Promise<Fetched> {
    const answer = await this.#get(`/v2/${repository}/manifests/${digest}`);
    if ("why" in answer) return answer;
    const body = await text(answer).catch(() => "");
    return answer.statusCode === 200 ? { body } : { why: inWords(answer, body) };
  }

  /**
   * Has a blob kept. This version of the server fetches it twice, for itself and for the client that asks: the client goes once
   * it has the status, and waits for the file.
   */
  async keep(repository: string, blob: Descriptor): Promise<{ readonly kept: true } | { readonly why: string }> {
    this.#failures.delete(blob.digest);
    const answer = await this.#get(`/v2/${repository}/blobs/${blob.digest}`);
    if ("why" in answer) return answer;
    if (answer.statusCode !== 200) return { why: inWords(answer, await text(answer).catch(() => "")) };
    answer.destroy();
    let [seen, at] = [-1, Date.now()];
    while (!(await this.store.has(repository, blob, "blob"))) {
      const failure = this.#failures.get(blob.digest);
      if (failure !== undefined) return { why: failure };
      const arrived = await this.store.arriving(repository);
      if (arrived !== seen) [seen, at] = [arrived, Date.now()];
      else if (Date.now() - at > this.#stallMs) return { why: `nothing has come for ${this.#stallMs / 1_000} s` };
      await sleep(LOOK_AGAIN_MS);
    }
    return { kept: true };
  }

  close(): Promise<void> {
    return this.#backend.close();
  }

  #get(path: string): Promise<IncomingMessage | { readonly why: string }> {
    const [host, port] = this.address.split(":");
    return new Promise((resolve) => {
      const request = get({ host, port, path, agent: false, headers: { accept: MANIFEST_TYPES } }, resolve);
      request.on("error", ({ message }) => resolve({ why: message }));
      request.setTimeout(this.#stallMs, () => request.destroy(new Error("the cache does not answer")));
    });
  }
}

/** The caches of a sandbox, each started when it is first needed. */
export class PullThroughCaches {
  readonly options: CachesOptions;
  readonly #running = new Map<string, Promise<PullThrough>>();

  constructor(options: CachesOptions) {
    this.options = options;
  }

  /** The cache of a registry. */
  of(registry: string): Promise<PullThrough> {
    const running = this.#running.get(registry) ?? PullThrough.start(registry, this.options);
    this.#running.set(registry, running);
    // A start that failed is not the last one.
    running.catch(() => this.#running.delete(registry));
    return running;
  }

  /** The same, with its registry if that answers by now. */
  async online(registry: string): Promise<PullThrough> {
    const found = await this.of(registry);
    if (found.online) return found;
    await found.close();
    this.#running.delete(registry);
    return this.of(registry);
  }

  /** Where the cache is of the registry that has a server's name; undefined when that is no registry. */
  addressOf(name: string): Promise<string> | undefined {
    const registry = registryOf(name);
    return registry === undefined ? undefined : this.of(registry).then(({ address }) => address);
  }

  /** The files of a registry's cache, which need no server to be looked at. */
  store(registry: string): BlobStore {
    return new BlobStore(join(this.options.directory, registry));
  }

  async close(): Promise<void> {
    const running = [...this.#running.values()];
    this.#running.clear();
    await Promise.all(running.map(async (cache) => (await cache.catch(() => undefined))?.close()));
  }
}

/** The registry whose server has a name; undefined for any other name. */
function registryOf(name: string): string | undefined {
  return Object.keys(UPSTREAM).find((registry) => UPSTREAM[registry]?.includes(name));
}

/** What the server says, in its log alone, when it could not keep a blob. */
function storingFailure(line: string): { digest: string; why: string } | undefined {
  const [, why] = /"msg":"Error committing to storage: ((?:[^"\\]|\\.)*)"/.exec(line) ?? [];
  const [, digest] = /"vars\.digest":"(sha256:[0-9a-f]{64})"/.exec(line) ?? [];
  return why === undefined || digest === undefined ? undefined : { digest, why };
}

function inWords({ statusCode }: IncomingMessage, body: string): string {
  const said = errorIn(body);
  return `the cache answers ${statusCode}${said === undefined ? "" : ` (${said})`}`;
}

/** The server's list of when to forget what; with a broken one it does not start. */
async function removeUnreadable(file: string): Promise<void> {
  const content = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (content === undefined) return;
  try {
    JSON.parse(content);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    await rm(file);
  }
}

/** What the machine has for programs that go outside. */
function outsideEnv(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = ["SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = env[name] ?? env[name.toLowerCase()];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}
