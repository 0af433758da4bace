import { createHash, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat, utimes } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Logger } from "pino";

/** The Debian hosts that are served, each with the one path that it has. */
const ROOTS: Readonly<Record<string, string>> = {
  "deb.debian.org": "/debian/",
  "security.debian.org": "/debian-security/",
};

export const aptHosts: readonly string[] = Object.keys(ROOTS);

const UNREACHABLE = 599;

/** What to do with a request: keep for ever what cannot change under its name, ask upstream first for the rest. */
export type AptPlan =
  | { readonly kind: "forbidden" }
  | { readonly kind: "immutable" | "fresh"; readonly upstream: string; readonly file: string };

/** Decides by method, Host header and path; `file` is relative to the cache. */
export function planAptRequest(method: string, host: string, url: string): AptPlan {
  const name = host.toLowerCase().replace(/:80$/, "");
  const root = Object.hasOwn(ROOTS, name) ? ROOTS[name] : undefined;
  const isPlain = /^\/[A-Za-z0-9%+~._/:-]+$/.test(url) && !/%2f|%00/i.test(url);
  if (root === undefined || !["GET", "HEAD"].includes(method) || !isPlain) return { kind: "forbidden" };
  const path = url.replaceAll("//", "/");
  const isListed = path.startsWith(`${root}dists/`) || path.startsWith(`${root}pool/`);
  if (!isListed || /(^|\/)(\.|%2e){1,2}(\/|$)/i.test(path)) return { kind: "forbidden" };
  const immutable = path.startsWith(`${root}pool/`) || path.includes("/by-hash/");
  return { kind: immutable ? "immutable" : "fresh", upstream: `http://${name}${path}`, file: join(name, path) };
}

export interface AptProxyOptions {
  readonly host: string;
  /** Default 80, which apt expects. */
  readonly port?: number;
  /** Folder of the cache; shared by all sandboxes of this machine. */
  readonly cache: string;
  readonly log: Logger;
  /** How upstream is asked. @default fetch */
  readonly ask?: typeof fetch;
}

/** Debian's archive for the sandbox's servers: through to the real one, and from the cache when that is away. */
export async function startAptProxy(options: AptProxyOptions): Promise<{ close(): Promise<void> }> {
  const fetching = new Map<string, Promise<number>>();
  const server = createServer((request, response) => {
    serve(options, fetching, request, response).catch((error: unknown) => {
      options.log.warn({ url: request.url, err: error }, "apt request failed");
      if (!response.headersSent) response.writeHead(502);
      response.end();
    });
  });
  server.listen(options.port ?? 80, options.host);
  await once(server, "listening");
  return {
    close: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  options: AptProxyOptions,
  fetching: Map<string, Promise<number>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const plan = planAptRequest(request.method ?? "", request.headers.host ?? "", request.url ?? "");
  if (plan.kind === "forbidden") {
    response.writeHead(403).end("only Debian's archive is served here\n");
    return;
  }
  const file = join(options.cache, plan.file);
  const cached = await isFile(file);
  if (!(plan.kind === "immutable" && cached)) {
    const running = fetching.get(file) ?? fetchInto(plan.upstream, file, cached, options);
    fetching.set(file, running);
    const status = await running.finally(() => fetching.delete(file));
    const away = status >= 500;
    options.log.debug({ upstream: plan.upstream, status, cached }, "apt upstream");
    if (status !== 200 && status !== 304 && !(away && cached)) {
      response.writeHead(away ? 502 : status).end();
      return;
    }
  }
  await send(file, request, response);
}

/** Fetches into place, whole or not at all. Returns upstream's status; UNREACHABLE when there was no answer. */
async function fetchInto(upstream: string, file: string, cached: boolean, options: AptProxyOptions): Promise<number> {
  const { ask = fetch, log } = options;
  const partial = `${file}.${randomUUID()}.part`;
  // Only the headers are waited for so long; a large package may take its time.
  const headersIn = new AbortController();
  const timer = setTimeout(() => headersIn.abort(new Error(`${upstream}: no answer`)), cached ? 4_000 : 20_000);
  try {
    const headers = cached ? { "if-modified-since": (await stat(file)).mtime.toUTCString() } : undefined;
    const answer = await ask(upstream, { headers, signal: headersIn.signal }).finally(() => clearTimeout(timer));
    if (answer.status !== 200 || answer.body === null) {
      await answer.body?.cancel();
      return answer.status;
    }
    await mkdir(dirname(file), { recursive: true });
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(partial));
    await expectWhole(partial, upstream, answer.headers.get("content-length"));
    const modified = new Date(answer.headers.get("last-modified") ?? Date.now());
    await utimes(partial, modified, modified);
    await rename(partial, file);
    return 200;
  } catch (error) {
    await rm(partial, { force: true });
    log.warn({ upstream, cached, err: error }, "apt upstream failed");
    return UNREACHABLE;
  }
}

async function expectWhole(file: string, upstream: string, length: string | null): Promise<void> {
  const { size } = await stat(file);
  if (length !== null && Number(length) !== size) throw new Error(`${upstream}: ${size} of ${length} bytes came`);
}

async function send(file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { size, mtime } = await stat(file);
  const known = request.headers["if-modified-since"];
  if (known !== undefined && Date.parse(known) >= Math.floor(mtime.getTime() / 1000) * 1000) {
    response.writeHead(304).end();
    return;
  }
  response.writeHead(200, {
    "content-length": size,
    "content-type": "application/octet-stream",
    "last-modified": mtime.toUTCString(),
    etag: `"${createHash("sha256").update(`${file}${mtime.getTime()}${size}`).digest("hex").slice(0, 16)}"`,
  });
  if (request.method === "HEAD") response.end();
  else await pipeline(createReadStream(file), response);
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
