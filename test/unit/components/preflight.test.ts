import { expect, test } from "@jest/globals";
import { offerText } from "../../../components/vps/hetzner/choose-offer.ts";
import { preflight, type PreflightArgs } from "../../../components/vps/hetzner/preflight.ts";

const args: PreflightArgs = {
  endpoint: "https://api.hetzner.cloud/v1",
  wanted: { types: ["cx23", "cx33"], locations: ["fsn1", "nbg1"] },
  sshKey: { name: "vpai-prod", publicKey: "ssh-ed25519 AAAA" },
};

type Http = Parameters<typeof preflight>[3];

/** Hetzner, as far as the preflight asks. */
function hetzner(answers: {
  status?: number;
  keys?: object[];
  available?: string[];
  addresses?: object[];
  code?: string;
}): Http {
  const request = (async (url: string, init: RequestInit) => {
    if ((init.headers as Record<string, string>)["authorization"] !== "Bearer the-token") throw new Error("no token");
    const types = ["cx23", "cx33"].map((name) => ({
      name,
      locations: ["fsn1", "nbg1"].map((location) => ({
        name: location,
        available: (answers.available ?? ["cx23 at fsn1", "cx33 at fsn1"]).includes(`${name} at ${location}`),
      })),
    }));
    if (init.method === "POST") {
      expect([new URL(url).pathname, init.body]).toEqual(["/v1/ssh_keys", "{}"]);
      return Response.json({ error: { code: answers.code ?? "invalid_input" } }, { status: answers.status ?? 422 });
    }
    const bodies: Record<string, object> = {
      "/v1/ssh_keys": { ssh_keys: answers.keys ?? [] },
      "/v1/server_types": { server_types: types },
      "/v1/primary_ips": { primary_ips: answers.addresses ?? [] },
    };
    return Response.json(bodies[new URL(url).pathname], { status: answers.status ?? 200 });
  }) as unknown as typeof fetch;
  return { request, pause: () => Promise.resolve() };
}

test("the first type that is available", async () => {
  const chosen = async (answers: Parameters<typeof hetzner>[0], refused: string[] = []) =>
    offerText(await preflight(args, "the-token", refused, hetzner(answers)));
  expect(await chosen({})).toBe("cx23 at fsn1");
  expect(await chosen({ available: ["cx33 at fsn1"] })).toBe("cx33 at fsn1");
  expect(await chosen({}, ["cx23 at fsn1"])).toBe("cx33 at fsn1");
  expect(await chosen({ available: ["cx23 at nbg1"] })).toBe("cx23 at nbg1");
});

test("a server that there is stays where it is", async () => {
  const both = ["cx23 at fsn1", "cx33 at nbg1"];
  const at = (server: number | null) => [{ name: "vpai-prod", assignee_id: server, location: { name: "nbg1" } }];
  const chosen = async (addresses: object[]) =>
    offerText(await preflight(args, "the-token", [], hetzner({ available: both, addresses })));
  expect(await chosen(at(7))).toBe("cx33 at nbg1");
  expect(await chosen(at(null))).toBe("cx23 at fsn1");
});

test("a key of ours is ours, whatever its comment", async () => {
  const keys = [{ name: "vpai-prod", public_key: "ssh-ed25519 AAAA comment" }];
  expect(offerText(await preflight(args, "the-token", [], hetzner({ keys })))).toBe("cx23 at fsn1");
});

test.each([
  [
    "token refused",
    { status: 401, code: "unauthorized" },
    "vpai:hetznerToken: refused by api.hetzner.cloud (unauthorized)\n  allowed: an API token with read and write access to one Hetzner project\n" +
      "  do: make one in Hetzner's console (Security, API tokens) and `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
  ],
  [
    "sold out",
    { available: [] },
    "vpai:vps.serverType: cx23, cx33: sold out at fsn1, nbg1\n  allowed: nothing: fsn1, nbg1 is sold out\n" +
      "  do: `pulumi config set --path vpai:vps.serverType <type>`, or add `vpai:vps.serverTypeFallbacks` or `vpai:vps.locationFallbacks`",
  ],
  [
    "token that may only read",
    { status: 403, code: "token_readonly" },
    "vpai:hetznerToken: may only read (token_readonly)\n  allowed: an API token with read and write access to one Hetzner project\n" +
      "  do: make one in Hetzner's console (Security, API tokens) and `pulumi config set --secret vpai:hetznerToken`, or set HCLOUD_TOKEN",
  ],
  [
    "key registered",
    { keys: [{ name: "vpai-prod", public_key: "ssh-ed25519 BBBB" }] },
    "SSH key at Hetzner: vpai-prod is registered already, with another key\n  allowed: one Hetzner project a stack, or a stack name of its own\n" +
      "  do: delete it in Hetzner's console if nothing uses it (hcloud ssh-key delete vpai-prod), or take another project",
  ],
])("%s", async (_name, answers, message) => {
  await expect(preflight(args, "the-token", [], hetzner(answers))).rejects.toThrow(new Error(message));
});

test("an answer that says nothing is no answer", async () => {
  await expect(preflight(args, "the-token", [], hetzner({ status: 503, code: "maintenance" }))).rejects.toThrow(
    "Hetzner API: answers 503 (maintenance) to POST /ssh_keys\n  do: see status.hetzner.com, then run the same command again",
  );
});

test("an API that cannot be reached is named, with what the network said", async () => {
  const unreachable = () => Promise.reject(new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") }));
  await expect(preflight(args, "the-token", [], { request: unreachable })).rejects.toThrow(
    "Hetzner API: https://api.hetzner.cloud/v1 does not answer (connect ECONNREFUSED)\n  do: see that",
  );
});

test("all pages are read, and a busy API is asked again", async () => {
  const answers = [
    new Response("busy", { status: 503 }),
    Response.json({ error: { code: "invalid_input" } }, { status: 422 }),
    Response.json({ ssh_keys: [], meta: { pagination: { next_page: 2 } } }),
    Response.json({ ssh_keys: [{ name: "vpai-prod", public_key: "ssh-ed25519 BBBB" }], meta: { pagination: {} } }),
  ];
  const asked: string[] = [];
  const request = (async (url: string, { method }: RequestInit) => {
    asked.push(`${method} ${new URL(url).search}`);
    return answers.shift();
  }) as unknown as typeof fetch;
  await expect(preflight(args, "the-token", [], { request, pause: () => Promise.resolve() })).rejects.toThrow(
    "vpai-prod is registered already",
  );
  const pages = [1, 2].map((page) => `GET ?name=vpai-prod&per_page=50&page=${page}`);
  expect(asked).toEqual(["POST ", "POST ", ...pages]);
});
