import { expect, test } from "@jest/globals";
import { preflight, type PreflightArgs } from "../../../components/vps/hetzner/preflight.ts";

const args: PreflightArgs = {
  endpoint: "https://api.hetzner.cloud/v1",
  wanted: ["cx23", "cx33"],
  location: "fsn1",
  sshKey: { name: "vpai-prod", publicKey: "ssh-ed25519 AAAA" },
};

type Http = Parameters<typeof preflight>[2];

/** Hetzner, as far as the preflight asks. */
function hetzner(answers: { status?: number; keys?: object[]; available?: string[] }): Http {
  const request = (async (url: string, init: RequestInit) => {
    if ((init.headers as Record<string, string>)["authorization"] !== "Bearer the-token") throw new Error("no token");
    const types = ["cx23", "cx33"].map((name) => ({
      name,
      locations: [{ name: "fsn1", available: (answers.available ?? ["cx23", "cx33"]).includes(name) }],
    }));
    const body = new URL(url).pathname === "/v1/ssh_keys" ? { ssh_keys: answers.keys ?? [] } : { server_types: types };
    return new Response(JSON.stringify(body), { status: answers.status ?? 200 });
  }) as unknown as typeof fetch;
  return { request, pause: () => Promise.resolve() };
}

test("the first type that is available", async () => {
  expect(await preflight(args, "the-token", hetzner({}))).toBe("cx23");
  expect(await preflight(args, "the-token", hetzner({ available: ["cx33"] }))).toBe("cx33");
});

test("a key of ours is ours, whatever its comment", async () => {
  const keys = [{ name: "vpai-prod", public_key: "ssh-ed25519 AAAA comment" }];
  expect(await preflight(args, "the-token", hetzner({ keys }))).toBe("cx23");
});

test.each([
  [
    "token refused",
    { status: 401 },
    "vpai:hetznerToken: refused by api.hetzner.cloud (401)\n  allowed: an API token with read and write access to one Hetzner project\n" +
      "  do: make one in Hetzner's console (Security, API tokens) and `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
  ],
  [
    "sold out",
    { available: [] },
    "vpai:vps.serverType: cx23, cx33: sold out at fsn1\n  allowed: nothing: fsn1 is sold out\n  do: `pulumi config set --path vpai:vps.serverType <type>`, " +
      "add `vpai:vps.serverTypeFallbacks`, or choose another `vpai:vps.location`",
  ],
  [
    "key registered",
    { keys: [{ name: "vpai-prod", public_key: "ssh-ed25519 BBBB" }] },
    "SSH key at Hetzner: vpai-prod is registered already, with another key\n  allowed: one Hetzner project a stack, or a stack name of its own\n" +
      "  do: delete it in Hetzner's console if nothing uses it (hcloud ssh-key delete vpai-prod), or take another project",
  ],
])("%s", async (_name, answers, message) => {
  await expect(preflight(args, "the-token", hetzner(answers))).rejects.toThrow(new Error(message));
});

test("an answer that says nothing is no answer", async () => {
  await expect(preflight(args, "the-token", hetzner({ status: 503 }))).rejects.toThrow(
    "Hetzner answers 503 to GET /ssh_keys?name=vpai-prod&per_page=50&page=1; try again later",
  );
});

test("an API that cannot be reached is named, with what the network said", async () => {
  const unreachable = () => Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
  await expect(preflight(args, "the-token", { request: unreachable })).rejects.toThrow(
    "Hetzner API: https://api.hetzner.cloud/v1 does not answer (connect ECONNREFUSED)\n  do: see that",
  );
});

test("all pages are read, and a busy API is asked again", async () => {
  const answers = [
    new Response("busy", { status: 503 }),
    Response.json({ ssh_keys: [], meta: { pagination: { next_page: 2 } } }),
    Response.json({ ssh_keys: [{ name: "vpai-prod", public_key: "ssh-ed25519 BBBB" }], meta: { pagination: {} } }),
  ];
  const asked: string[] = [];
  const request = (async (url: string) => {
    asked.push(new URL(url).search);
    return answers.shift();
  }) as unknown as typeof fetch;
  await expect(preflight(args, "the-token", { request, pause: () => Promise.resolve() })).rejects.toThrow(
    "vpai-prod is registered already",
  );
  expect(asked).toEqual([1, 1, 2].map((page) => `?name=vpai-prod&per_page=50&page=${page}`));
});
