import { afterAll, expect, jest, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { type DnsRecord, ZONE_RECORDS, zoneLine } from "../../components/dns/record.ts";
import { OperatorError } from "../../shared/errors.ts";
import { record } from "../support/mocks.ts";
import { cleanUp, configOf, runProgram } from "../support/program.ts";
import { deploy } from "../../stacks/deploy.ts";

afterAll(cleanUp);

test("prod and preprod differ in these keys alone", () => {
  const [prod, preprod] = [configOf("prod"), configOf("preprod")];
  const keys = [...new Set([...Object.keys(prod), ...Object.keys(preprod)])].sort();
  expect(keys.filter((key) => prod[key] !== preprod[key])).toEqual([
    "vpai:domain",
    "vpai:protect",
    "vpai:size",
    "vpai:tls",
  ]);
});

test("prod and preprod are made of the same resources", async () => {
  const names = async (stack: string): Promise<string[]> => (await runProgram(stack)).resources.map(({ name }) => name);
  expect(await names("preprod")).toEqual(await names("prod"));
});

test("a bad setting registers nothing", async () => {
  const finish = await record("prod", false);
  pulumi.runtime.setAllConfig({ ...configOf("prod"), "vpai:hetznerToken": "x", "vpai:domain": "nowhere" }, [
    "vpai:hetznerToken",
  ]);
  expect(() => deploy()).toThrow(OperatorError);
  expect(await finish()).toEqual([]);
});

test("the outputs: links, a way in, where the credentials are; what is secret stays so", async () => {
  const { outputs, workFolder } = await runProgram("sandbox");
  expect(outputs.links).toEqual({
    health: "https://vpai.localhost/health",
    grafana: "https://grafana.vpai.localhost/",
    litellm: "https://llm.vpai.localhost/",
    n8n: "https://n8n.vpai.localhost/",
    openclaw: "https://openclaw.vpai.localhost/",
  });
  expect(outputs.ssh).toBe(`ssh -F ${workFolder}/ssh/config vpai`);
  expect(outputs.credentials).toBe("./vpai output --stack sandbox");
  expect(await pulumi.isSecret(outputs.secrets)).toBe(true);
});

test("with a zone at a provider: one resource for all records, which holds no secret, and the output that shows them", async () => {
  const dns = { provider: "hetzner", zone: "your.domain", issuers: ["letsencrypt.org"] };
  const { resources, outputs } = await runProgram("prod", false, { "vpai:domain": "ai.your.domain", "vpai:dns": dns });
  const [records, ...more] = resources.filter(({ type }) => type === ZONE_RECORDS);
  expect(more).toEqual([]);
  expect(records?.inputs).toMatchObject({ provider: "hetzner", zone: "your.domain" });
  const lines = (records?.inputs["records"] as DnsRecord[]).map((each) =>
    zoneLine(each, "your.domain").replace(/ A .*/, " A …"),
  );
  expect(lines).toEqual([
    '_vpai.ai.your.domain. 300 IN TXT "vpai-stack=prod"',
    'ai.your.domain. 300 IN CAA 0 issue "letsencrypt.org"',
    "ai.your.domain. 300 IN A …",
    "grafana.ai.your.domain. 300 IN A …",
    "llm.ai.your.domain. 300 IN A …",
    "n8n.ai.your.domain. 300 IN A …",
    "openclaw.ai.your.domain. 300 IN A …",
  ]);
  expect(String(records?.inputs["__provider"])).toContain("components/dns/provider.ts");
  expect(outputs.dns).toBeDefined();
});

test("without a zone there are no records, and the output of them is null", async () => {
  const { resources, outputs } = await runProgram("prod");
  expect(resources.filter(({ type }) => type === ZONE_RECORDS)).toEqual([]);
  expect(outputs.dns).toBeNull();
});

test("limits far beyond the server's memory are a warning of the run, and no reason to stop", async () => {
  const warn = jest.spyOn(pulumi.log, "warn").mockResolvedValue(undefined);
  const vps = { ...(JSON.parse(configOf("preprod")["vpai:vps"] ?? "") as object), memoryMb: 4800 };
  const { resources } = await runProgram("preprod", false, { "vpai:vps": vps });
  expect(resources.length).toBeGreaterThan(50);
  expect(warn.mock.calls.map(([text]) => text)).toEqual([expect.stringMatching(/^vpai:vps: memory limits of \d+ MB/)]);
  warn.mockRestore();
});
