import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { images } from "../../components/images.ts";
import { publishImages } from "../../sandbox/images/publish.ts";
import { pulledFolder } from "../../sandbox/registry/pull-through.ts";
import { Checkout } from "../support/checkout.ts";
import { keepServices } from "../support/core.ts";
import { expectRefusal } from "../support/refusals.ts";
import { UpstreamRegistry } from "../support/upstream-registry.ts";

// `npm start` where the public registries are reachable: another registry, with tokens and TLS, stands in for them.

const MINUTE = 60_000;
const SERVICES = ["caddy", "redis"] as const;
const NOWHERE = { "docker.io": "https://registry-1.docker.invalid" };
let home: string;
let upstream: UpstreamRegistry;
let checkout: Checkout;
let env: Record<string, string>;
let addresses: Record<string, string>;
let pins: readonly string[];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "vpai-upstream-"));
  upstream = await UpstreamRegistry.open(home);
  addresses = { "docker.io": upstream.url };
  env = { VPAI_UPSTREAM_REGISTRIES: JSON.stringify(addresses), SSL_CERT_FILE: upstream.ca.certFile };
  checkout = await Checkout.make();
  await keepServices(checkout, SERVICES);
  const wanted = SERVICES.map((name) => images[name].pin);
  const refs = await publishImages({
    pins: wanted,
    pushAddress: upstream.pushAddress,
    store: upstream.store,
    report: () => undefined,
  });
  pins = wanted.map((pin) => refs[pin] ?? "");
  await checkout.edit("components/images.ts", (text) =>
    wanted.reduce((changed, pin) => changed.replace(pin, refs[pin] ?? ""), text),
  );
}, 15 * MINUTE);
afterAll(async () => {
  await checkout.remove();
  await upstream.close();
  for (const used of [addresses, NOWHERE]) await rm(pulledFolder(used), { recursive: true, force: true });
  await rm(home, { recursive: true });
}, 3 * MINUTE);

/** `vpai start` as an operator calls it: without what the tests add. */
async function start(...flags: readonly string[]): Promise<string> {
  const { exitCode, output } = await checkout.run(process.execPath, ["bin/vpai.js", "start", ...flags], env);
  if (exitCode !== 0) throw new Error(`vpai start ended with ${exitCode}:\n${output}`);
  return output;
}

test(
  "a stack is made of the registries' images, by a probe; without the registries it stays as it is, and does not change over",
  async () => {
    const first = await start();
    expect(first).toContain("images: upstream, pulled through the sandbox's cache\n");
    expect(first).toMatch(/image docker\.io\/library\/redis:\S+ \(pulled, /);
    expect(first).not.toContain("making layer");
    const lock = JSON.parse(await readFile(join(checkout.dir, ".vpai/sandbox/images.json"), "utf8")) as object;
    expect(lock).toEqual(Object.fromEntries(pins.map((pin) => [pin, pin])));
    const listed = await checkout.vpai(["ssh", "--", "sudo docker image ls --digests --format '{{.Digest}}'"]);
    for (const pin of pins) expect(listed.output).toContain(pin.split("@")[1]);

    await upstream.goAway();
    expect(await start()).toContain("Stack is up to date");
    const second = await start("--full-run");
    expect(second).toContain("images: upstream, pulled through the sandbox's cache (as before)");
    expect(second).toContain("Stack is up to date");
    const changed = await checkout.vpai(["start", "--images", "built"], env);
    expectRefusal(changed, ["--images: built, and the servers of this sandbox run images of the other kind", "do:"]);
  },
  20 * MINUTE,
);

test(
  "without the registries a new stack of their images is refused, with what was found of each",
  async () => {
    const nowhere = { ...env, VPAI_UPSTREAM_REGISTRIES: JSON.stringify(NOWHERE) };
    const ended = await checkout.vpai(["start", "--instance", "none", "--images", "upstream"], nowhere);
    await checkout.expectVpai(["sandbox", "down", "--instance", "none"]);
    expect(ended.exitCode).toBe(1);
    expect(ended.output).toContain("registry docker.io: registry-1.docker.io: no answer: name not resolved");
    expect(ended.output).toMatch(
      /\(it has library\/caddy:\S+, library\/redis:\S+\)\n {2}do: see that this machine reaches it/,
    );
    expect(ended.output).not.toMatch(/\n {4}at /);
  },
  10 * MINUTE,
);
