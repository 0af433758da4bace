import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { parse } from "yaml";
import { type ServiceSettings, serviceSettingsSchema } from "../../../components/service/model/settings.ts";
import { staleFiles } from "../../../ops/dev/derived.ts";
import { PROJECT_ROOT } from "../../../shared/paths.ts";
import { choice } from "../../../shared/rules.ts";
import { DECLARED, pulumiYaml, settingsPage } from "../../../stacks/settings/reference.ts";

const read = (file: string): string => readFileSync(join(PROJECT_ROOT, file), "utf8");

test("derived files that differ are named, and written when asked", async () => {
  const root = mkdtempSync(join(tmpdir(), "vpai-derived-"));
  try {
    for (const folder of ["docs", "components/vps/hetzner"]) mkdirSync(join(root, folder), { recursive: true });
    cpSync(join(PROJECT_ROOT, "components/vps/hetzner/offers.ts"), join(root, "components/vps/hetzner/offers.ts"));
    writeFileSync(join(root, "Pulumi.yaml"), read("Pulumi.yaml").replace("default: Etc/UTC", "default: Europe/Paris"));
    expect(await staleFiles(false, root)).toEqual(["Pulumi.yaml", "docs/settings.md"]);
    expect(await staleFiles(true, root)).toEqual([]);
    for (const file of ["Pulumi.yaml", "docs/settings.md"])
      expect(readFileSync(join(root, file), "utf8")).toBe(read(file));
  } finally {
    rmSync(root, { recursive: true });
  }
});

test("a setting's type, default, fields and description are in Pulumi.yaml", () => {
  const { config } = parse(pulumiYaml(read("Pulumi.yaml"))) as { config: Record<string, unknown> };
  expect(config).toMatchObject({
    "vpai:domain": { type: "string", default: "" },
    "vpai:vps": { type: "object", default: {} },
    "vpai:ssh": { type: "object", default: { port: 2222, allowedCidrs: ["0.0.0.0/0", "::/0"] } },
    "vpai:telegramAllowFrom": { type: "array", items: { type: "integer" }, default: [] },
    "vpai:owner": { description: "Stack owner (n8n owner account). Fields: email, firstName, lastName" },
    "vpai:openaiApiKey": {
      type: "string",
      default: "",
      description: "API key of OpenAI; default: environment variable OPENAI_API_KEY",
    },
  });
});

describe("a new setting is one edit", () => {
  const links = choice(["blue", "red"]).default("blue").describe("Colour of links");
  const services = serviceSettingsSchema.extend({ links });
  const declared = { ...DECLARED, settings: DECLARED.settings.extend(services.shape) };

  test("Pulumi.yaml has it", () => {
    const { config } = parse(pulumiYaml(read("Pulumi.yaml"), declared)) as { config: Record<string, unknown> };
    expect(config["vpai:links"]).toEqual({ type: "string", description: "Colour of links", default: "blue" });
  });

  test("the reference has it, with what is allowed", () => {
    expect(settingsPage(declared)).toContain("| `vpai:links` | string | `blue` | Colour of links | blue, red |");
  });

  test("services see it", () => {
    // A wrong type does not compile.
    const seen: ServiceSettings<typeof services>["links"] = services.parse({ links: "red" }).links;
    expect(seen).toBe("red");
  });
});

test("the fields of each kind of server are listed with their own defaults", () => {
  const lines = settingsPage().split("\n");
  expect(lines.filter((line) => line.includes("`vpai:vps.memoryMb`"))).toEqual([
    expect.stringMatching(/none .*\(provider hetzner\)/),
    expect.stringMatching(/required .*\(provider existing\)/),
  ]);
});
