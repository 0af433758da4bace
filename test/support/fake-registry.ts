import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export const INDEX = "application/vnd.oci.image.index.v1+json";
export const MANIFEST = "application/vnd.oci.image.manifest.v1+json";

/** An answer that comes before the registry's own; "silence" is none at all. */
export type Planned = "silence" | "cut" | { readonly status: number; readonly headers?: Record<string, string> };

/** A registry over plain http that a test fills and spoils. */
export class FakeRegistry {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  readonly #manifests = new Map<string, { type: string; body: string }>();
  readonly #tags = new Map<string, string[]>();
  /** `METHOD path` of each request, with the token it brought. */
  readonly requests: string[] = [];
  /** Answers for the next requests, in turn. */
  plan: Planned[] = [];
  /** Whether it wants a token; "refuses" gives none out. */
  auth: "none" | "token" | "access_token" | "refuses" = "none";
  tokens = 0;
  pageSize = 1_000;

  async open(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Puts a manifest under a tag and its digest; answers the pin. */
  put(path: string, tag: string, content: object, type = INDEX): string {
    const body = JSON.stringify({ ...content, annotations: { tag } });
    const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
    for (const reference of [tag, digest]) this.#manifests.set(`${path}/${reference}`, { type, body });
    this.#tags.set(path, [...(this.#tags.get(path) ?? []).filter((other) => other !== tag), tag]);
    return `${this.host}/${path}:${tag}@${digest}`;
  }

  /** Serves other bytes under a digest. */
  spoil(path: string, digest: string): void {
    const found = this.#manifests.get(`${path}/${digest}`);
    if (found) this.#manifests.set(`${path}/${digest}`, { ...found, body: `${found.body} ` });
  }

  /** An index of these platforms. */
  index(...platforms: string[]): object {
    return {
      schemaVersion: 2,
      mediaType: INDEX,
      manifests: platforms.map((platform) => {
        const [os, architecture] = platform.split("/");
        return { mediaType: MANIFEST, digest: `sha256:${"0".repeat(64)}`, size: 1, platform: { os, architecture } };
      }),
    };
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? "/", `http://${this.host}`);
    const bearer = request.headers.authorization?.replace("Bearer ", " with ") ?? "";
    this.requests.push(`${request.method} ${url.pathname}${url.search}${bearer}`);
    const planned = this.plan.shift();
    if (planned === "silence") return;
    if (planned === "cut") return void request.socket.destroy();
    if (planned) return say(response, planned.status, "", planned.headers);
    if (url.pathname === "/token") return this.#token(response);
    if (this.auth !== "none" && bearer !== ` with token-${this.tokens}`) return this.#challenge(response, url);
    const [, path = "", kind = "", reference = ""] = /^\/v2\/(.+)\/(manifests|tags)\/(.+)$/.exec(url.pathname) ?? [];
    if (kind === "tags") return this.#list(response, path, url);
    const found = this.#manifests.get(`${path}/${reference}`);
    if (!found) return say(response, 404, error("MANIFEST_UNKNOWN", "manifest unknown"));
    say(response, 200, request.method === "HEAD" ? "" : found.body, { "content-type": found.type });
  }

  #token(response: ServerResponse): void {
    if (this.auth === "refuses") return say(response, 403, error("DENIED", "requested access is denied"));
    this.tokens += 1;
    say(response, 200, JSON.stringify({ [this.auth]: `token-${this.tokens}`, expires_in: 300 }));
  }

  #challenge(response: ServerResponse, url: URL): void {
    const path = /^\/v2\/(.+)\/(?:manifests|tags)\//.exec(url.pathname)?.[1] ?? "";
    const realm = `realm="http://${this.host}/token",service="fake",scope="repository:${path}:pull"`;
    say(response, 401, error("UNAUTHORIZED", "authentication required"), { "www-authenticate": `Bearer ${realm}` });
  }

  #list(response: ServerResponse, path: string, url: URL): void {
    const all = (this.#tags.get(path) ?? []).toSorted();
    const last = url.searchParams.get("last");
    const rest = last === null ? all : all.filter((tag) => tag > last);
    const page = rest.slice(0, this.pageSize);
    const more = rest.length > page.length;
    const next = `</v2/${path}/tags/list?n=${this.pageSize}&last=${page.at(-1) ?? ""}>; rel="next"`;
    say(response, 200, JSON.stringify({ name: path, tags: page }), more ? { link: next } : {});
  }
}

const error = (code: string, message: string): string => JSON.stringify({ errors: [{ code, message }] });

function say(response: ServerResponse, status: number, body: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers);
  response.end(body);
}
