import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { age, explain, lockHolders } from "../../../ops/engine/error-hints.ts";

const recorded = (name: string): string => readFileSync(join(__dirname, "recorded", `${name}.txt`), "utf8");
const context = { stack: "prod", log: ".vpai/prod/logs/up.log", now: Date.parse("2026-11-23T19:30:00Z") };

test.each([
  [
    "passphrase-wrong",
    `PULUMI_CONFIG_PASSPHRASE: not the passphrase of stack prod
  do: set PULUMI_CONFIG_PASSPHRASE, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase it was made with`,
  ],
  [
    "passphrase-missing",
    `PULUMI_CONFIG_PASSPHRASE: not set
  do: set it, or PULUMI_CONFIG_PASSPHRASE_FILE, to the passphrase of stack prod`,
  ],
  [
    "locked",
    `stack prod: locked by operator@workstation (pid 20071) since 2026-11-23T16:05:51Z, 3 hours ago
  do: wait for that run to end: on workstation, \`ps -p 20071\` shows whether it still runs; a CI job's page shows it too. If it no longer runs, or workstation no longer exists, \`vpai recover --stack prod\` removes the lock`,
  ],
  [
    "no-backend",
    `PULUMI_BACKEND_URL: not set: the engine does not know where the state is kept
  allowed: file:///path, s3://bucket?endpoint=…, or a login with \`./vpai pulumi --stack prod -- login\`
  do: set PULUMI_BACKEND_URL to the place of this stack's state`,
  ],
  [
    "token-refused",
    `Hetzner token: refused by https://api.hetzner.cloud/v1 (unauthorized)
  allowed: an API token of the project, with read and write access
  do: make one in the Hetzner console, then \`./vpai pulumi --stack prod -- config set --secret vpai:hetznerToken\`, or set HCLOUD_TOKEN`,
  ],
  [
    "token-malformed",
    `Hetzner token: of a wrong length
  allowed: exactly 64 characters
  do: copy it again from the Hetzner console into \`vpai:hetznerToken\` or HCLOUD_TOKEN`,
  ],
  [
    "plugin-missing",
    `engine plugin pulumi-resource-command: not installed at 1.2.1
  do: run the command through \`vpai\`, which provides it; \`vpai doctor\` says what is missing`,
  ],
  [
    "docker-ssh",
    `Docker daemon at ssh://vpai: ssh: connect to host 127.0.0.1 port 1: Connection refused
  do: see that the server runs: \`vpai ssh\` opens the same connection`,
  ],
  [
    "docker-sock",
    `Docker daemon at unix:///var/run/docker.sock: Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?
  do: start Docker; \`vpai doctor\` looks at it`,
  ],
  [
    "protected-replace",
    `vpai:protect: true, and this run would delete vps-server
  allowed: false, while the protected resources are deleted
  do: save the data, \`./vpai pulumi --stack prod -- config set vpai:protect false\`, \`vpai up --stack prod\`, then what you wanted`,
  ],
  [
    "protected-destroy",
    `vpai:protect: true, and this run would delete vps-server
  allowed: false, while the protected resources are deleted
  do: save the data, \`./vpai pulumi --stack prod -- config set vpai:protect false\`, \`vpai up --stack prod\`, then what you wanted`,
  ],
  [
    "failed",
    `stack prod: the engine failed; the lines marked ✗ say where
  do: read .vpai/prod/logs/up.log; once the cause is fixed, run the same command again`,
  ],
])("the engine's recorded output (%s) is explained", (name, text) => {
  expect(explain(recorded(name), context).message).toBe(text);
});

test("two faults of one run are told together, and what Hetzner has is named", () => {
  const help = { ...context, available: ["cx33 at nbg1/hel1", "cpx22 at fsn1"] };
  expect(explain(recorded("unavailable"), help).message).toBe(
    `Hetzner server vpai-a: sold out: Hetzner has no capacity for this server type at this location (resource_unavailable)
  allowed: cx33 at nbg1/hel1, cpx22 at fsn1
  do: set \`serverType\` or \`location\` in the stack file to one that is available, or list fallbacks
Hetzner SSH key vpai-a: this name or this public key is already registered in the Hetzner project (uniqueness_error)
  allowed: one Hetzner project a stack, or a key that is not yet there
  do: remove it (\`hcloud ssh-key list\`); if an interrupted run left it, \`vpai recover --stack prod\` does so`,
  );
});

// As hcloud-go prints them: with the response's correlation id, where the API gave one.
test.each([
  ["error during placement (resource_unavailable, 6c98d1ce9872c228)", "sold out"],
  ["error during placement (resource_unavailable, de76d43fd51bd20)", "sold out"],
  ["could not allocate metrics server (resource_unavailable)", "sold out"],
  ["unable to authenticate (unauthorized, 1d1d17e504e28a4c)", "refused by"],
])("%s is explained", (line, words) => {
  expect(explain(`  hcloud:index:Server (vps-server):\n    error: ${line}\n`, context).message).toContain(words);
});

test("the endpoint that refused a token is named", () => {
  const text = explain(recorded("token-refused"), { ...context, endpoint: "http://10.213.0.1:8080/v1" }).message;
  expect(text).toContain("refused by http://10.213.0.1:8080/v1 (unauthorized)");
});

test.each([
  [-5_000, "less than a minute"],
  [59_000, "less than a minute"],
  [60_000, "1 minute"],
  [59 * 60_000, "59 minutes"],
  [60 * 60_000, "1 hour"],
  [47 * 3_600_000, "47 hours"],
  [12.5 * 24 * 3_600_000, "12 days"],
])("an age of %i ms is %s", (ms, words) => {
  expect(age(ms)).toBe(words);
});

test("a lock's holder is read whole", () => {
  expect(lockHolders(recorded("locked"))).toEqual([
    { user: "operator", host: "workstation", pid: 20071, since: "2026-11-23T16:05:51Z" },
  ]);
});
