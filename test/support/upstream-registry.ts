import { sign } from "node:crypto";
import { type IncomingMessage, request as forward, type ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Ca, ensureCa, type Issued } from "../../sandbox/network/ca.ts";
import { type Backend, startBackend } from "../../sandbox/registry/backend.ts";
import { pushBlob, pushManifest, sha256 } from "../../sandbox/registry/push.ts";

const OCI = "application/vnd.oci.image";
export const INDEX = `${OCI}.index.v1+json`;
export const MANIFEST = `${OCI}.manifest.v1+json`;
const HERE = process.arch === "arm64" ? "arm64" : "amd64";
const SERVICE = "upstream";
/** Seconds for which a token is good. */
const TOKEN_SECONDS = 300;

/** What comes in place of the registry's answer; "silence" is none, "cut" begins one and breaks off. */
export type Planned =
  "silence" | "cut" | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: Buffer };

interface Rule {
  readonly match: RegExp;
  readonly answer: Planned;
  left: number;
}

export interface PushedImage {
  /** `host/repository:tag@digest`. */
  readonly pin: string;
  readonly index: string;
  readonly manifest: string;
  readonly config: string;
  readonly layers: readonly string[];
}

/**
 * A public registry: Debian's docker-registry, which wants tokens, behind TLS by an authority of the test's own. In front of it a
 * thin proxy gives the tokens out, writes the requests down, and answers what a test plans in place of the registry.
 */
export class UpstreamRegistry {
  readonly ca: Ca;
  /** The directory of its files. */
  readonly store: string;
  /** `METHOD path` of each request, with ` with token` where it brought one. */
  readonly requests: string[] = [];
  /** What the token server does: "refuses" gives none out, "access_token" calls it by its other name. */
  tokens: "token" | "access_token" | "refuses" = "token";
  /** The most tags in one answer. Debian's version of the server has no such limit: the proxy cuts its list. */
  tagsPerPage = 100;
  readonly #issued: Issued;
  readonly #server: Server;
  #rules: Rule[] = [];
  #backends: Backend[] = [];

  private constructor(ca: Ca, issued: Issued, store: string) {
    this.ca = ca;
    this.store = store;
    this.#issued = issued;
    this.#server = createServer({ key: issued.keyPem, cert: issued.certPem }, (request, response) =>
      this.#answer(request, response),
    );
  }

  static async open(home: string): Promise<UpstreamRegistry> {
    const ca = await ensureCa(home);
    const registry = new UpstreamRegistry(ca, await ca.issue(["127.0.0.1"]), join(home, "upstream"));
    await new Promise<void>((resolve) => registry.#server.listen(0, "127.0.0.1", resolve));
    const common = { store: registry.store, log: () => undefined };
    const token = { realm: `${registry.url}/token`, service: SERVICE, issuer: SERVICE, rootcertbundle: ca.certFile };
    registry.#backends = [await startBackend({ ...common, more: { auth: { token } } }), await startBackend(common)];
    return registry;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where images are put into it, over plain http and without a token. */
  get pushAddress(): string {
    return this.#backends[1]?.address ?? "";
  }

  /** Of its own name, as references have it. */
  get host(): string {
    return new URL(this.url).host;
  }

  /** Answers the next requests whose `METHOD path` matches, in place of the registry. */
  plan(match: RegExp, answer: Planned, times = Infinity): void {
    this.#rules.push({ match, answer, left: times });
  }

  /** What it says to a request without a good token. */
  challenge(path: string): Planned {
    const challenge = `Bearer realm="${this.url}/token",service="${SERVICE}",scope="repository:${path}:pull"`;
    return { status: 401, headers: { "www-authenticate": challenge } };
  }

  /** Forgets what was planned and what was asked. */
  reset(): void {
    [this.#rules, this.tokens, this.tagsPerPage] = [[], "token", 100];
    this.requests.length = 0;
  }

  /** Goes off the network; {@link UpstreamRegistry.comeBack} brings it back at the same address. */
  async goAway(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async comeBack(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, "127.0.0.1", resolve));
  }

  async close(): Promise<void> {
    if (this.#server.listening) await this.goAway();
    for (const backend of this.#backends) await backend.close();
  }

  /** Stores an image for this machine's platform, its index under the tag; the same layers are the same bytes. */
  async putImage(path: string, tag: string, layers: readonly Buffer[], host = "docker.io"): Promise<PushedImage> {
    const config = json({ architecture: HERE, os: "linux", rootfs: { type: "layers", diff_ids: [] }, tag });
    const blobs = [config, ...layers].map((bytes) => ({ digest: sha256(bytes), size: bytes.length, bytes }));
    for (const { digest, size, bytes } of blobs) {
      await pushBlob(this.pushAddress, path, { digest, size, content: { bytes } });
    }
    const [first, ...rest] = blobs.map(({ digest, size }) => ({ digest, size }));
    const manifest = json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: { mediaType: `${OCI}.config.v1+json`, ...first },
      layers: rest.map((layer) => ({ mediaType: `${OCI}.layer.v1.tar`, ...layer })),
    });
    await pushManifest(this.pushAddress, path, sha256(manifest), MANIFEST, manifest);
    const platform = { os: "linux", architecture: HERE };
    const listed = { mediaType: MANIFEST, digest: sha256(manifest), size: manifest.length, platform };
    const index = await this.#putIndex(path, tag, [listed]);
    return {
      pin: `${host}/${path}:${tag}@${index}`,
      index,
      manifest: sha256(manifest),
      config: first?.digest ?? "",
      layers: rest.map(({ digest }) => digest),
    };
  }

  /** Stores an index that lists platforms; the images are the same empty one. */
  async putPlatforms(path: string, tag: string, platforms: readonly string[], note = tag): Promise<string> {
    const { manifest } = await this.putImage(path, `${tag}-image`, []);
    const listed = platforms.map((platform) => {
      const [os, architecture] = platform.split("/");
      return { mediaType: MANIFEST, digest: manifest, size: 1, platform: { os, architecture } };
    });
    const index = await this.#putIndex(path, tag, listed, note);
    return `${this.host}/${path}:${tag}@${index}`;
  }

  /** Stores an image's manifest under a tag, without an index. */
  async putSingle(path: string, tag: string): Promise<string> {
    const config = json({ architecture: HERE, os: "linux", tag });
    const blob = { digest: sha256(config), size: config.length };
    await pushBlob(this.pushAddress, path, { ...blob, content: { bytes: config } });
    const described = { mediaType: `${OCI}.config.v1+json`, ...blob };
    const manifest = json({ schemaVersion: 2, mediaType: MANIFEST, config: described, layers: [] });
    await pushManifest(this.pushAddress, path, tag, MANIFEST, manifest);
    return `${this.host}/${path}:${tag}@${sha256(manifest)}`;
  }

  async #putIndex(path: string, tag: string, manifests: readonly object[], note = tag): Promise<string> {
    const index = json({ schemaVersion: 2, mediaType: INDEX, manifests, annotations: { note } });
    await pushManifest(this.pushAddress, path, tag, INDEX, index);
    return sha256(index);
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    const asked = `${request.method} ${request.url}`;
    this.requests.push(`${asked}${request.headers.authorization === undefined ? "" : " with token"}`);
    const rule = this.#rules.find(({ match, left }) => left > 0 && match.test(asked));
    if (rule !== undefined) {
      rule.left -= 1;
      return spoil(rule.answer, request, response);
    }
    if (request.url?.startsWith("/token")) return this.#token(new URL(request.url, this.url), response);
    const [hostname, port] = (this.#backends[0]?.address ?? "").split(":");
    const { method, url: path, headers } = request;
    const onward = forward({ hostname, port, method, path, headers: { ...headers, "x-forwarded-proto": "https" } });
    onward.once("response", (answered) => {
      const list = answered.statusCode === 200 && /^\/v2\/(.+)\/tags\/list/.test(path ?? "");
      if (list) return void this.#page(new URL(path ?? "", this.url), answered, response);
      response.writeHead(answered.statusCode ?? 502, answered.headers);
      answered.pipe(response);
    });
    onward.once("error", () => response.destroy());
    response.once("close", () => onward.destroy());
    onward.end();
  }

  /** A page of a list of tags, as the distribution project describes it: `n`, `last` and a link to the next one. */
  async #page(url: URL, answered: IncomingMessage, response: ServerResponse): Promise<void> {
    const { name, tags } = JSON.parse(await text(answered)) as { name: string; tags: string[] };
    const last = url.searchParams.get("last");
    const rest = tags.toSorted().filter((tag) => last === null || tag > last);
    const wanted = Number(url.searchParams.get("n") ?? this.tagsPerPage);
    const page = rest.slice(0, Math.min(wanted, this.tagsPerPage));
    const next = `<${url.pathname}?n=${page.length}&last=${page.at(-1) ?? ""}>; rel="next"`;
    say(response, 200, { name, tags: page }, rest.length > page.length ? { link: next } : {});
  }

  #token(url: URL, response: ServerResponse): void {
    if (this.tokens === "refuses") {
      return say(response, 403, { errors: [{ code: "DENIED", message: "requested access is denied" }] });
    }
    const scopes = url.searchParams.getAll("scope").map((scope) => scope.split(":"));
    const access = scopes.map(([type, name, actions = ""]) => ({ type, name, actions: actions.split(",") }));
    say(response, 200, { [this.tokens]: this.#signed(access), expires_in: TOKEN_SECONDS });
  }

  /** A token as the distribution project describes it: a JWT with the certificate of its key. */
  #signed(access: readonly object[]): string {
    const [leaf = ""] = /[A-Za-z0-9+/=\n]{64,}/.exec(this.#issued.certPem.replace(/-----[A-Z ]+-----/, "")) ?? [];
    const header = { typ: "JWT", alg: "ES256", x5c: [leaf.replaceAll("\n", "")] };
    const now = Math.floor(Date.now() / 1_000);
    const times = { nbf: now - 10, iat: now - 10, exp: now + TOKEN_SECONDS };
    const claims = { iss: SERVICE, aud: SERVICE, sub: "", jti: String(this.requests.length), ...times, access };
    const signed = [header, claims].map((part) => json(part).toString("base64url")).join(".");
    const key = { key: this.#issued.keyPem, dsaEncoding: "ieee-p1363" } as const;
    return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
  }
}

const json = (value: object): Buffer => Buffer.from(JSON.stringify(value));

function say(response: ServerResponse, status: number, body: object, headers: Record<string, string> = {}): void {
  response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}

function spoil(answer: Planned, request: IncomingMessage, response: ServerResponse): void {
  if (answer === "silence") return;
  if (answer === "cut") {
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": 1_000_000 });
    response.write(Buffer.alloc(1_000), () => request.socket.destroy());
    return;
  }
  const body = answer.body ?? json({ errors: [{ code: "PLANNED", message: "planned by the test" }] });
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers }).end(body);
}
