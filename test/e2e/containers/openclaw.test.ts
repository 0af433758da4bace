import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { openclaw } from "../../../components/services/openclaw/service.ts";
import { testContext } from "../../support/context.ts";
import type { Bench } from "../../sandbox/images/container-harness.ts";
import { docker, openBench } from "../../sandbox/images/container-harness.ts";
import { dockerRunArgs, startAsDefined, untilHealthy } from "./docker-run-args.ts";
import { hereAs, onHost } from "./on-host.ts";

// OpenClaw locked down as its definition says, with an answer instead of LiteLLM.

const secrets = { "openclaw-gateway-token": "Gateway-token-of-this-test", "openclaw-llm": "Key-of-this-test" };
const context = testContext();
const item = "items" in openclaw.backup ? openclaw.backup.items[0] : undefined;
const MINUTES = 60_000;
let bench: Bench;
let container: string;
let model: Server;
const keys = new Set<string | undefined>();

beforeAll(async () => {
  model = createServer((request, response) => {
    keys.add(request.headers.authorization);
    response.setHeader("content-type", "application/json");
    response.end('{"object":"list","data":[]}');
  }).listen(4000);
  bench = await openBench([openclaw.image.pin]);
  const network = bench.home.replace(/^.*\//, "").replace(/-[^-]*$/, "");
  const host = await docker("network", "inspect", "-f", "{{range .IPAM.Config}}{{.Gateway}}{{end}}", network);
  const options = ["--add-host", `litellm.backend:${host}`];
  container = await startAsDefined(bench, openclaw, { context, secrets, options });
}, 10 * MINUTES);
afterAll(async () => {
  model.close();
  await bench.clear();
}, 3 * MINUTES);

/** Where its state is on this machine. */
const data = (): string => join(bench.home, "openclaw/opt/vpai/data/openclaw");
const here = (argv: Parameters<ReturnType<typeof hereAs>>[0]): string[] =>
  hereAs({
    "/opt/vpai/config/openclaw/state.sh": join(import.meta.dirname, "../../../components/services/openclaw/state.sh"),
    "/opt/vpai/data/openclaw": data(),
    " openclaw ": ` ${container} `,
  })(argv).map((word) => (word === "openclaw" ? container : word));

test("its smoke checks print what they should, the models' with its own key", async () => {
  for (const check of openclaw.smoke) {
    if (!("exec" in check)) throw new Error("asked from outside");
    expect(await bench.exec(container, ...check.exec)).toMatch(check.prints);
  }
  expect([...keys]).toEqual(["Bearer sk-Key-of-this-test"]);
});

test("no secret is to be seen with docker inspect, nor in the configuration", async () => {
  const seen = await docker("inspect", container);
  const config = readFileSync(join(bench.home, "openclaw/config/openclaw.json"), "utf8");
  for (const secret of Object.values(secrets)) {
    expect(seen).not.toContain(secret);
    expect(config).not.toContain(secret);
  }
});

test(
  "a copy brings back what was lost and changed since, and keeps what it replaces",
  async () => {
    const folder = "/home/node/.openclaw/workspace";
    const note = `${folder}/note.md`;
    const write = (text: string) =>
      bench.exec(container, "sh", "-c", `mkdir -p ${folder} && printf '%s' '${text}' > ${note}`);
    await write("remember this");
    const copy = await onHost(here(item?.dump));
    expect(await docker("inspect", "-f", "{{.State.Status}}", container)).toBe("running");
    await write("something else");
    await onHost(here(item?.restore), copy);
    await untilHealthy(container, openclaw);
    expect(await bench.exec(container, "cat", note)).toBe("remember this");
    expect(await bench.exec(container, "stat", "-c", "%U %a", note)).toMatch(/^node 6\d\d$/);
    expect(String(await onHost(here(item?.verify.argv)))).toMatch(item?.verify.expect ?? /^$/);
    const before = join(`${data()}.before-restore`, "workspace/note.md");
    expect(readFileSync(before, "utf8")).toBe("something else");
  },
  5 * MINUTES,
);

test("a copy that is none changes nothing", async () => {
  await expect(onHost(here(item?.restore), "no archive")).rejects.toThrow("tar:");
  expect(await docker("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", container)).toBe("running 0");
});

const telegram = {
  ...context.settings,
  telegramAllowFrom: [42],
  providedSecrets: [...context.settings.providedSecrets, "openclawTelegramToken" as const],
};
const behindPort = { ...context, publicPort: 8443 };
test.each([
  ["as it is", context],
  ["with another port", behindPort],
  ["with a bot", { ...context, settings: telegram }],
])("it takes its configuration whole, without a warning (%s)", async (name, its) => {
  const validate = { ...openclaw, name: `validate${name.length}`, command: ["config", "validate"] };
  const all = { ...secrets, "settings-openclawTelegramToken": "42:a-token" };
  const { options, command } = await dockerRunArgs(bench, validate, { context: its, secrets: all });
  const { code, output } = await bench.once(openclaw.image.pin, options, command);
  expect({ code, output: output.trim() }).toEqual({ code: 0, output: "Config valid: /etc/vpai/openclaw.json" });
});

test("a key too many in its configuration ends it, with exit code 78 and the key", async () => {
  const extra = { ...openclaw, name: "extra" };
  const files = () => [{ path: "openclaw.json", content: () => '{"gateway":{"mode":"local","prot":1}}' }];
  const env = { path: "secrets/env", content: () => "OPENCLAW_GATEWAY_TOKEN='x'\n" };
  const { options, command } = await dockerRunArgs(
    bench,
    { ...extra, files: () => [...files(), env] },
    { context, secrets },
  );
  const { code, output } = await bench.once(openclaw.image.pin, options, command);
  expect({ code, output }).toEqual({ code: 78, output: expect.stringContaining('Unrecognized key: "prot"') });
});
