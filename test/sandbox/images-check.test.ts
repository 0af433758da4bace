import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { checkBeforeUp } from "../../ops/images/before-up.ts";
import { checkImages, faultsOf } from "../../ops/images/check.ts";
import { Registries } from "../../shared/registry/client.ts";
import { stackPins, wantedImages } from "../../ops/images/stack-images.ts";
import { proposalLines, propose } from "../../ops/images/update.ts";
import { StackFile } from "../../ops/stack/config-file.ts";
import { ensureCa } from "../../sandbox/network/ca.ts";
import type { World } from "../../sandbox/supervisor/client.ts";
import { FaultBook } from "../../sandbox/control/fault-injector.ts";
import { pushBlob, pushManifest, sha256 } from "../../sandbox/registry/push.ts";
import { type Registry, startRegistry } from "../../sandbox/registry/registry.ts";
import { renderFaults } from "../../shared/errors.ts";
import { parseImageRef, withDigest } from "../../shared/image-ref.ts";

// The check of images against the sandbox's own registry: over TLS, at one address, under the public registries' names.

const OCI = "application/vnd.oci.image";
const HERE = process.arch === "arm64" ? "arm64" : "amd64";
/** A loopback address of this run's own, so that the names' port 443 is free there. */
const GATEWAY = `127.${100 + (process.pid % 100)}.${(process.pid >> 8) % 250}.7`;

const faults = new FaultBook();
const pins = stackPins(StackFile.read("sandbox"));
const redis = parseImageRef(pins["redis"] ?? "");
const DEAD_REDIS = { name: "dead-tag", image: `${redis.path}:${redis.tag}` } as const;
let home: string;
let work: string;
let world: World;
let through: { readonly address: string; readonly ca: string };
let registry: Registry;
let lock: Record<string, string>;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-check-"));
  const ca = await ensureCa(home);
  registry = await startRegistry({ host: GATEWAY, ca, store: join(home, "store"), faults, log: () => undefined });
  world = { name: "sandbox", gateway: GATEWAY, caFile: ca.certFile } as World;
  through = { address: GATEWAY, ca: ca.certPem };
  lock = Object.fromEntries(await Promise.all(Object.values(pins).map(async (pin) => [pin, await push(pin)] as const)));
}, 60_000);
beforeEach(async () => {
  faults.clear();
  work = await mkdtemp(join(home, "work-"));
  await writeFile(join(work, "images.json"), JSON.stringify(lock));
});
afterAll(async () => {
  await registry.close();
  await rm(home, { recursive: true });
});

const json = (content: object): Buffer => Buffer.from(JSON.stringify(content));

/** Stores an image without layers, for one platform, under the pin's tag; answers the pin with its digest. */
async function push(text: string, architecture = HERE): Promise<string> {
  const pin = parseImageRef(text);
  const to = registry.pushAddress;
  const config = json({ architecture, os: "linux", rootfs: { type: "layers", diff_ids: [] }, tag: pin.tag });
  const blob = { digest: sha256(config), size: config.length };
  await pushBlob(to, pin.path, { ...blob, content: { bytes: config } });
  const [imageType, indexType] = [`${OCI}.manifest.v1+json`, `${OCI}.index.v1+json`];
  const image = json({
    schemaVersion: 2,
    mediaType: imageType,
    layers: [],
    config: { mediaType: `${OCI}.config.v1+json`, ...blob },
  });
  await pushManifest(to, pin.path, sha256(image), imageType, image);
  const entry = { mediaType: imageType, digest: sha256(image), size: image.length };
  const index = json({
    schemaVersion: 2,
    mediaType: indexType,
    manifests: [{ ...entry, platform: { architecture, os: "linux" } }],
  });
  await pushManifest(to, pin.path, pin.tag, indexType, index);
  return withDigest(pin, sha256(index));
}

const lines: string[] = [];
beforeEach(() => void lines.splice(0));
const report = (line: string): void => void lines.push(line);
const before = (only?: readonly string[]): Promise<() => Promise<void>> =>
  checkBeforeUp({ context: { stack: "sandbox", workDir: work, relativeWorkDir: work, env: {} }, world, report, only });

describe("before an `up` in the sandbox", () => {
  test("every image is asked for once, and no more until a pin changes", async () => {
    await (
      await before()
    )();
    expect(lines).toEqual([
      `images: ${Object.keys(pins).length} of ${Object.keys(pins).length} are new, and found at the sandbox's registry`,
    ]);
    const remembered = JSON.parse(await readFile(join(work, "images-checked.json"), "utf8")) as { platforms: object };
    expect(Object.keys(remembered.platforms)).toEqual(Object.values(lock).toSorted((a, b) => a.localeCompare(b)));

    // Whoever asked now would be refused.
    faults.inject({ name: "registry-down" });
    await (
      await before()
    )();
    expect(lines.length).toBe(1);

    const other = await push(redis.text.replace(redis.tag, `${redis.tag}-other`));
    await writeFile(join(work, "images.json"), JSON.stringify({ ...lock, [redis.text]: other }));
    await expect(before()).rejects.toThrow(/registry docker\.io: answers 503 \(it has the image of redis\)/);
    faults.clear();
    await (
      await before()
    )();
    expect(lines.at(-1)).toMatch(/^images: 1 of \d+ are new/);
  });

  test("what was found counts only once the `up` has succeeded", async () => {
    await before();
    await before();
    expect(lines.length).toBe(2);
  });

  test("of some services, theirs alone are asked for", async () => {
    faults.inject(DEAD_REDIS);
    await (
      await before(["postgresql"])
    )();
    expect(lines).toEqual(["images: 1 of 1 are new, and found at the sandbox's registry"]);
    await expect(before()).rejects.toThrow("not found");
  });

  test("a missing image stops it, with what to do", async () => {
    faults.inject(DEAD_REDIS);
    await expect(before()).rejects.toThrow(
      [
        `image of redis: ${lock[redis.text]}: not found: manifest unknown`,
        "  allowed: an image that docker.io has, pinned by the digest of the index of its platforms",
        "  do: `./vpai sandbox fault clear` clears the injected faults; `./vpai start` publishes what is missing",
      ].join("\n"),
    );
  });

  test("a registry that is busy for a moment, and slow, is waited for", async () => {
    faults.inject({ name: "registry-429", retryAfter: 0, times: 2 });
    faults.inject({ name: "registry-slow", ms: 300, times: 2 });
    await before();
    expect(faults.list()).toEqual([]);
    expect(lines.length).toBe(1);
  });

  test("nothing that was not published is asked for: the program says what to do about it", async () => {
    await rm(join(work, "images.json"));
    faults.inject({ name: "registry-down" });
    await (
      await before()
    )();
    expect(lines).toEqual([]);
  });
});

describe("the registries' client, at the sandbox's", () => {
  const check = async (images: Readonly<Record<string, string>>, timeoutMs = 10_000): Promise<string> => {
    const registries = new Registries({ through, timeoutMs, pause: () => Promise.resolve() });
    const platforms = [`linux/${HERE}`];
    const findings = await checkImages(registries, wantedImages(images), { platforms }).finally(() =>
      registries.close(),
    );
    return renderFaults(faultsOf(findings, { replaced: () => false, again: "again" }));
  };

  test("is believed under each public name", async () => {
    const images = { hub: lock[redis.text] ?? "", ghcr: "", quay: "" };
    for (const [name, host] of [
      ["ghcr", "ghcr.io"],
      ["quay", "quay.io"],
    ] as const) {
      images[name] = images.hub.replace("docker.io", host);
    }
    expect(await check(images)).toBe("");
  });

  test("another name is nobody", async () => {
    expect(await check({ x: (lock[redis.text] ?? "").replace("docker.io", "gcr.io") })).toMatch(
      /^registry gcr\.io: no answer: Hostname\/IP does not match/,
    );
  });

  test("all errors come at once: not found, for another machine, silent for too long", async () => {
    faults.inject(DEAD_REDIS);
    faults.inject({ name: "registry-slow", ms: 60_000, match: "slow/slow" });
    const foreign = await push(`ghcr.io/for/another:1@${redis.digest}`, "s390x");
    const slow = `quay.io/slow/slow:1@${redis.digest}`;
    const told = await check(
      { redis: lock[redis.text] ?? "", foreign, slow, gone: `ghcr.io/no/such:1@${redis.digest}` },
      500,
    );
    expect(told.match(/^\S.*$/gm)).toEqual([
      `image of redis: ${lock[redis.text]}: not found: manifest unknown`,
      `image of foreign: ${foreign}: not for linux/${HERE}, only for linux/s390x`,
      `image of gone: ghcr.io/no/such:1@${redis.digest}: not found: manifest unknown`,
      "registry quay.io: no answer: none within 0.5 s (it has the image of slow)",
    ]);
  });

  test("a registry that is busy for long is not waited for", async () => {
    faults.inject({ name: "registry-429", retryAfter: 3_600 });
    expect(await check({ redis: lock[redis.text] ?? "" })).toMatch(
      /^registry docker\.io: 429 too many requests; retry after 3600 s \(it has the image of redis\)/,
    );
  });

  test("newer versions are found in its list of tags", async () => {
    const [old = "", , newest = ""] = await Promise.all(
      ["1.9.0", "1.9.1", "1.10.0", "1.11.0-rc.1"].map((tag) => push(`ghcr.io/some/app:${tag}@${redis.digest}`)),
    );
    const registries = new Registries({ through });
    const image = {
      service: "app",
      pin: old,
      versions: String.raw`^\d+\.\d+\.\d+$`,
      notes: "https://example.com/{tag}",
    };
    const { proposals, faults: none } = await propose(registries, [image], false).finally(() => registries.close());
    expect(none).toEqual([]);
    expect(proposals.flatMap((proposal) => proposalLines(proposal, 3))).toEqual([
      `app  1.9.0 → 1.10.0  ${newest.split("@")[1]}`,
      "     https://example.com/1.10.0",
    ]);
  });
});
