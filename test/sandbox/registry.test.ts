import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import type { Ca } from "../../sandbox/network/ca.ts";
import { ensureCa } from "../../sandbox/network/ca.ts";
import { FaultBook } from "../../sandbox/control/fault-injector.ts";
import { pushBlob, pushManifest, sha256 } from "../../sandbox/registry/push.ts";
import type { Registry } from "../../sandbox/registry/registry.ts";
import { registryNames, startRegistry } from "../../sandbox/registry/registry.ts";
import { until } from "../support/until.ts";

const indexType = "application/vnd.oci.image.index.v1+json";
const faults = new FaultBook();
let home: string;
let ca: Ca;
let registry: Registry;
let digest: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-registry-test-"));
  ca = await ensureCa(home);
  registry = await startRegistry({
    host: "127.0.0.1",
    port: 0,
    ca,
    store: join(home, "store"),
    faults,
    log: () => undefined,
  });
  digest = await pushIndex("library/redis", "8.10.2-alpine");
});
beforeEach(() => faults.clear());
afterAll(async () => {
  await registry.close();
  await rm(home, { recursive: true });
});

/** An index with nothing in it: all that the front needs. */
async function pushIndex(repository: string, tag: string): Promise<string> {
  const body = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: indexType, manifests: [], annotations: { tag } }),
  );
  await pushManifest(registry.pushAddress, repository, tag, indexType, body);
  return sha256(body);
}

/** Asks the front under one of its names, trusting the sandbox's CA alone. */
function ask(
  name: string,
  path: string,
  method = "GET",
): Promise<{ status: number; body: string; digest: unknown; retryAfter: unknown }> {
  return new Promise((resolve, reject) => {
    const headers = { host: name, accept: indexType };
    const where = { host: "127.0.0.1", port: registry.port, servername: name, ca: ca.certPem };
    const asking = request({ ...where, path, method, headers, agent: false }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.on("end", () =>
        resolve({
          status: response.statusCode ?? 0,
          body,
          digest: response.headers["docker-content-digest"],
          retryAfter: response.headers["retry-after"],
        }),
      );
    });
    asking.on("error", reject).end();
  });
}

const manifest = (reference: string, repository = "library/redis") =>
  ask("registry-1.docker.io", `/v2/${repository}/manifests/${reference}`);

describe("the certificate authority", () => {
  test("is made once, its key for its owner's eyes alone", async () => {
    const again = await ensureCa(home);
    expect(again.certPem).toBe(ca.certPem);
    expect((await stat(join(home, "ca", "ca.key"))).mode & 0o777).toBe(0o600);
    expect(await readFile(ca.certFile, "utf8")).toBe(ca.certPem);
  });

  test("made by several at once is one", async () => {
    const fresh = await mkdtemp(join(tmpdir(), "vpai-ca-test-"));
    const made = await Promise.all([1, 2, 3, 4].map(() => ensureCa(fresh)));
    expect(new Set(made.map(({ certPem }) => certPem)).size).toBe(1);
    await rm(fresh, { recursive: true });
  });

  test("issues for names and addresses", async () => {
    const leaf = new X509Certificate((await ca.issue(["ghcr.io", "10.213.0.1"])).certPem);
    expect(leaf.subjectAltName).toBe("DNS:ghcr.io, IP Address:10.213.0.1");
    expect(leaf.verify(new X509Certificate(ca.certPem).publicKey)).toBe(true);
  });
});

describe("the TLS front", () => {
  test.each(registryNames)("is %s to whoever trusts the CA", async (name) => {
    expect((await ask(name, "/v2/")).status).toBe(200);
  });

  test("is nobody else", async () => {
    await expect(ask("registry.gitlab.com", "/v2/")).rejects.toThrow("Hostname/IP does not match");
  });

  test("convinces nobody without the CA", async () => {
    const refusal = new Promise<Error>((resolve, reject) => {
      const socket = connect({ host: "127.0.0.1", port: registry.port, servername: "ghcr.io" }, () =>
        reject(new Error("trusted")),
      );
      socket.once("error", resolve);
    });
    expect((await refusal).message).toMatch(/self.signed certificate|unable to verify|unable to get local issuer/);
  });

  test("serves an image by tag and by digest, whatever the registry's name", async () => {
    for (const name of ["registry-1.docker.io", "quay.io"]) {
      for (const reference of ["8.10.2-alpine", digest]) {
        const answered = await ask(name, `/v2/library/redis/manifests/${reference}`);
        expect({ ...answered, body: sha256(answered.body) }).toMatchObject({ status: 200, digest, body: digest });
      }
    }
  });

  test("says manifest unknown of what is not there", async () => {
    const { status, body } = await manifest("9.9.9");
    expect([status, JSON.parse(body)]).toMatchObject([404, { errors: [{ code: "MANIFEST_UNKNOWN" }] }]);
  });

  test("lets nobody push", async () => {
    const { status } = await ask("ghcr.io", "/v2/library/redis/blobs/uploads/", "POST");
    expect(status).toBe(405);
  });
});

describe("a push", () => {
  test("of a blob with a wrong digest is refused", async () => {
    const bytes = Buffer.from("something");
    const blob = { digest: sha256("something else"), size: bytes.length, content: { bytes } };
    await expect(pushBlob(registry.pushAddress, "library/redis", blob)).rejects.toThrow(
      /refused blob sha256:\w+: 400 .*DIGEST_INVALID/,
    );
  });

  test("into one registry is seen by another on the same store", async () => {
    const other = await startRegistry({
      host: "127.0.0.1",
      port: 0,
      ca,
      store: join(home, "store"),
      faults,
      log: () => undefined,
    });
    const answered = await fetch(`http://${other.pushAddress}/v2/library/redis/manifests/${digest}`, {
      headers: { accept: indexType },
    });
    expect(answered.status).toBe(200);
    await other.close();
  });
});

describe("the fault", () => {
  test("registry-down answers 503 as often as told", async () => {
    faults.inject({ name: "registry-down", times: 2 });
    const seen = [await manifest(digest), await manifest(digest), await manifest(digest)];
    expect(seen.map(({ status }) => status)).toEqual([503, 503, 200]);
  });

  test("registry-429 says when to come back, if it is told, and strikes only what matches", async () => {
    faults.inject({ name: "registry-429", match: "library/redis", retryAfter: 7, times: 1 });
    faults.inject({ name: "registry-429", times: 1 });
    const other = await manifest("1", "library/caddy");
    const seen = [await manifest(digest), await manifest(digest)];
    expect([other.status, other.retryAfter]).toEqual([429, undefined]);
    expect(seen.map(({ status, retryAfter }) => [status, retryAfter])).toEqual([
      [429, "7"],
      [200, undefined],
    ]);
    expect(JSON.parse(seen[0]?.body ?? "")).toMatchObject({ errors: [{ code: "TOOMANYREQUESTS" }] });
  });

  test("registry-slow lets later requests overtake, and answers all the same", async () => {
    faults.inject({ name: "registry-slow", ms: 1_000, times: 1 });
    const order: string[] = [];
    const slow = manifest(digest).then(({ status }) => order.push(`slow ${status}`));
    await until("the fault has struck", 10_000, async () => (faults.list().length === 0 ? true : undefined));
    order.push(`quick ${(await manifest(digest)).status}`);
    await slow;
    expect(order).toEqual(["quick 200", "slow 200"]);
  });

  test("dead-tag takes the tag and its digest, and nothing else", async () => {
    await pushIndex("library/redis", "8.10.3-alpine");
    faults.inject({ name: "dead-tag", image: "library/redis:8.10.2-alpine" });
    const seen = await Promise.all(["8.10.2-alpine", digest, "8.10.3-alpine"].map((reference) => manifest(reference)));
    expect(seen.map(({ status }) => status)).toEqual([404, 404, 200]);
    expect(JSON.parse(seen[1]?.body ?? "")).toMatchObject({
      errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }],
    });
    faults.clear();
    expect((await manifest(digest)).status).toBe(200);
  });
});

test("a port that is taken is an error, and leaves no registry behind", async () => {
  const lines: string[] = [];
  const second = {
    host: "127.0.0.1",
    port: registry.port,
    ca,
    store: join(home, "store"),
    faults,
    log: (line: string) => lines.push(line),
  };
  await expect(startRegistry(second)).rejects.toThrow("EADDRINUSE");
});
