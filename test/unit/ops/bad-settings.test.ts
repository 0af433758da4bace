import { describe, expect, test } from "@jest/globals";
import { checkStack } from "../../../ops/settings/check.ts";
import { renderFaults } from "../../../shared/errors.ts";
import { BAD_SETTINGS } from "../../support/settings/bad-settings.ts";
import { API_KEY, EXISTING, KEY, stackInput, TOKEN } from "../../support/settings/stack-input.ts";

// checkStack is what `up`, `preview` and `start` call before anything is started.

const messageOf = (change: Parameters<typeof stackInput>[0]): string =>
  renderFaults(checkStack(stackInput(change)).faults);

test("a stack that is right has no fault and no notice", () => {
  expect(checkStack(stackInput())).toEqual({ faults: [], notices: [], secrets: {}, provider: "hetzner" });
});

describe("rejected, with the key and the exact words", () => {
  test.each(BAD_SETTINGS.map(({ name, ...rest }) => [name, rest] as const))("%s", (_name, { change, message }) => {
    expect(messageOf(change).split("\n")).toEqual(message);
  });

  test("no message has a secret in it", () => {
    for (const { change } of BAD_SETTINGS) {
      const message = messageOf(change);
      const secrets = Object.entries(change.secrets ?? {}).flatMap(([, text]) =>
        text.length > 6 ? [text.trim()] : [],
      );
      // A public key is no secret: it is the one thing that is quoted, as another setting's value.
      for (const secret of [...secrets, API_KEY, TOKEN]) expect(message).not.toContain(secret);
    }
  });

  test("the names are unique, and there are at least 120", () => {
    const names = BAD_SETTINGS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(120);
  });
});

test("everything that is wrong is reported at once: files, variables, settings, secrets and the plan", () => {
  const message = messageOf({
    stack: "my_stack",
    config: {
      domain: "ai.example.com",
      timezone: "europe/paris",
      ssh: { allowedCidrs: ["198.51.100.7/24"] },
      vps: { ...EXISTING, port: 443 },
      disabledServices: ["postgresql"],
      domian: "x",
    },
    secrets: { rootPrivateKey: "not a key", anthropicApiKey: "sk-ant-short" },
    env: { PULUMI_BACKEND_URL: "s4://x", VPAI_PUBLIC_PORT: "6000" },
    project: (text) => text.replace("author", "").replace("main:", "licence: MIT\nmain:"),
    file: (text) => text.replace("config:", "confg: 1\nconfig:"),
  });
  expect(message.match(/^\S.*?(?=: )/gm)).toEqual([
    "Pulumi.yaml:8:1",
    "PULUMI_BACKEND_URL",
    "Pulumi.my_stack.yaml:1:1",
    "stack my_stack",
    "vpai:domian",
    "vpai:domain",
    "vpai:timezone",
    "vpai:ssh.allowedCidrs[0]",
    "VPAI_PUBLIC_PORT",
    "vpai:rootPrivateKey",
    "vpai:anthropicApiKey",
    "vpai:disabledServices[0]",
    "vpai:vps.port",
  ]);
});

describe("accepted", () => {
  const accepted: readonly (readonly [string, Parameters<typeof stackInput>[0]])[] = [
    ["a link of the tz database that ICU calls otherwise", { config: { timezone: "Asia/Kolkata" } }],
    ["single hosts and private networks", { config: { vpnCidrs: ["10.8.0.0/24", "fd00::/8", "198.51.100.7/32"] } }],
    [
      "the service's own image at a mirror",
      { config: { images: { redis: mirrored("mirror.your.domain:5000/hub/redis") } } },
    ],
    ["an OpenSSH private key", { config: { vps: EXISTING }, secrets: { rootPrivateKey: KEY } }],
    [
      "a server's own sshd on the port that ours gets",
      { config: { vps: { ...EXISTING, port: 2222 } }, secrets: { rootPassword: "two words" } },
    ],
    [
      "a domain in punycode with an owner's address",
      { config: { domain: "ai.xn--p1ai", owner: { email: "me@your.domain" } } },
    ],
    [
      "a bot with its users",
      { config: { telegramAllowFrom: [42] }, secrets: { openclawTelegramToken: `123456789:${"Ab0_-".repeat(7)}` } },
    ],
    [
      "Hetzner's API through a simulator on a private network",
      { env: { HCLOUD_ENDPOINT: "http://10.213.0.1:8080/v1" } },
    ],
    [
      "a backend of the engine's service, without a passphrase",
      {
        env: { PULUMI_BACKEND_URL: "https://api.pulumi.com", PULUMI_CONFIG_PASSPHRASE: undefined },
        file: (text) => text.replace(/encryptionsalt: .*\n/, ""),
      },
    ],
  ];
  test.each(accepted)("%s", (_name, change) => {
    expect(messageOf(change)).toBe("");
  });
});

function mirrored(repository: string): string {
  return `${repository}:8@sha256:${"0123456789abcdef".repeat(4)}`;
}

test("a secret's end of line is left out with a notice; the services get the trimmed one", () => {
  const { faults, notices, secrets } = checkStack(stackInput({ secrets: { anthropicApiKey: `${API_KEY}\r\n` } }));
  expect(faults).toEqual([]);
  expect(notices).toEqual(["vpai:anthropicApiKey ends with a line break, which is left out"]);
  expect(secrets).toEqual({ anthropicApiKey: `${API_KEY}\r\n` });
});

test("without Caddy there is a warning that says what follows", () => {
  expect(checkStack(stackInput({ config: { disabledServices: ["caddy"] } }))).toMatchObject({
    faults: [],
    notices: [
      "vpai:disabledServices: no service is left that listens on port 443, so that the links of grafana, litellm, n8n, openclaw lead nowhere",
    ],
  });
});

test("secrets that a key store encrypts are left to the program: they are neither missing nor of a wrong form", () => {
  const input = stackInput({
    secrets: { hetznerToken: "x", anthropicApiKey: "x" },
    env: { HCLOUD_TOKEN: undefined, ANTHROPIC_API_KEY: undefined },
  });
  const file = input.file.replace(/encryptionsalt: .*/, "secretsprovider: awskms://alias/x\nencryptedkey: AAAA");
  expect(checkStack({ ...input, file }).faults).toEqual([]);
});
