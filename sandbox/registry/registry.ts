import { request as forward } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ca } from "../network/ca.ts";
import type { FaultBook } from "../control/fault-injector.ts";
import { nameAsked, type Site, startFront } from "../network/tls-terminator.ts";
import { startBackend } from "./backend.ts";
import { UPSTREAM } from "./pull-through.ts";

/** The registries that the sandbox stands in for. Of the images that are built here, each has all. */
export const registryNames: readonly string[] = Object.values(UPSTREAM).flat();

export interface RegistryOptions {
  /** Directory of the blobs; several sandboxes may share it. */
  readonly store: string;
  /** @default Debian's docker-registry, unpacked in the cache */
  readonly binary?: string;
  /**
   * The registry process (`127.0.0.1:<port>`) that has what is asked under a name; undefined: the one with the images that
   * are built here. @default always the latter
   */
  readonly elsewhere?: (name: string) => Promise<string> | undefined;
  readonly faults: FaultBook;
  readonly log: (line: string) => void;
}

export interface OpenRegistry {
  /** `127.0.0.1:<port>`: where images are pushed, over plain http, from this machine alone. */
  readonly pushAddress: string;
  /** What the front shows of it, under the public registries' names. */
  readonly site: Site;
  close(): Promise<void>;
}

/**
 * A real registry. Its site only reads; it is where the faults strike: `registry-down` (503), `registry-429`,
 * `registry-slow`, and `dead-tag` (`manifest unknown` for the tag and its digest).
 */
export async function openRegistry(options: RegistryOptions): Promise<OpenRegistry> {
  const { store, faults, log } = options;
  const backend = await startBackend({ store, binary: options.binary, log });
  return {
    pushAddress: backend.address,
    site: {
      names: registryNames,
      answer: (request, response) => {
        const to = options.elsewhere?.(nameAsked(request)) ?? backend.address;
        answer(request, response, to, faults).catch((error: Error) => {
          log(`registry front: ${request.method} ${request.url}: ${error.message}`);
          if (response.headersSent) response.destroy();
          else refuse(response, 502, "UNKNOWN", error.message);
        });
      },
    },
    close: () => backend.close(),
  };
}

export interface Registry {
  readonly pushAddress: string;
  /** Port of the TLS front. */
  readonly port: number;
  close(): Promise<void>;
}

/** A registry with a front of its own. */
export async function startRegistry(
  options: RegistryOptions & { readonly host: string; readonly port?: number; readonly ca: Ca },
): Promise<Registry> {
  const registry = await openRegistry(options);
  try {
    const front = await startFront({ ...options, sites: [registry.site] });
    return {
      pushAddress: registry.pushAddress,
      port: front.port,
      async close() {
        await front.close();
        await registry.close();
      },
    };
  } catch (error) {
    await registry.close();
    throw error;
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  to: string | Promise<string>,
  faults: FaultBook,
): Promise<void> {
  const backend = await to;
  const asked = `${request.method} ${request.url}`;
  const concerns = ({ match = "" }: { match?: string | undefined }): boolean => asked.includes(match);
  const slow = faults.strike("registry-slow", concerns);
  if (slow && !(await waited(response, slow.ms))) return;
  const limited = faults.strike("registry-429", concerns);
  if (limited) {
    if (limited.retryAfter !== undefined) response.setHeader("retry-after", limited.retryAfter);
    refuse(response, 429, "TOOMANYREQUESTS", "too many requests (sandbox fault registry-429)");
  } else if (faults.strike("registry-down")) {
    refuse(response, 503, "UNAVAILABLE", "service unavailable (sandbox fault registry-down)");
  } else if (request.method !== "GET" && request.method !== "HEAD") {
    refuse(response, 405, "UNSUPPORTED", "the sandbox's public registries are read-only");
  } else if (await isDead(request.url ?? "/", backend, faults)) {
    refuse(response, 404, "MANIFEST_UNKNOWN", "manifest unknown");
  } else {
    await proxy(request, response, backend);
  }
}

/** Lets time pass; false when whoever asked has gone meanwhile. */
async function waited(response: ServerResponse, ms: number): Promise<boolean> {
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  await sleep(ms, undefined, { signal: gone.signal }).catch(() => undefined);
  return !gone.signal.aborted;
}

/** Whether a `dead-tag` fault concerns this request for a manifest, by tag or by the digest the tag points at. */
async function isDead(url: string, backend: string, faults: FaultBook): Promise<boolean> {
  const [, repository, reference] = /^\/v2\/(.+)\/manifests\/([^/?]+)/.exec(url) ?? [];
  if (repository === undefined || reference === undefined) return false;
  const dead = faults
    .list()
    .flatMap((fault) => (fault.name === "dead-tag" && fault.image.startsWith(`${repository}:`) ? [fault.image] : []));
  for (const image of dead) {
    const tag = image.slice(repository.length + 1);
    const hit = tag === reference || (await digestOf(backend, repository, tag)) === reference;
    if (hit && faults.strike("dead-tag", (fault) => fault.image === image)) return true;
  }
  return false;
}

/** The digest a tag points at; undefined when there is no such tag. */
export async function digestOf(backend: string, repository: string, reference: string): Promise<string | undefined> {
  const answered = await fetch(`http://${backend}/v2/${repository}/manifests/${reference}`, {
    method: "HEAD",
    headers: { accept: manifestTypes },
  });
  return answered.status === 200 ? (answered.headers.get("docker-content-digest") ?? undefined) : undefined;
}

const manifestTypes = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

function proxy(request: IncomingMessage, response: ServerResponse, backend: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const [hostname, port] = backend.split(":");
    const { method, url: path, headers } = request;
    const onward = forward({ hostname, port, method, path, headers: { ...headers, host: backend } }, (answered) => {
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.once("error", reject);
      answered.pipe(response).once("close", resolve);
    });
    onward.once("error", reject);
    response.once("close", () => onward.destroy());
    onward.end();
  });
}

/** An error in the shape of the distribution specification. */
function refuse(response: ServerResponse, status: number, code: string, message: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message, detail: {} }] }) + "\n");
}
