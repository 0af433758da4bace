import { expect, test } from "@jest/globals";
import { catalogue } from "../../stacks/catalogue.ts";
import { planDeployment } from "../../stacks/plan.ts";
import { parseSettings } from "../../stacks/settings/parse.ts";
import { sample } from "../support/sample.ts";

const settings = parseSettings({
  stack: "prod",
  config: {
    domain: "ai.your.domain",
    vps: JSON.stringify({ provider: "hetzner", serverType: "cx33", location: "fsn1" }),
    hetznerToken: "t".repeat(64),
    anthropicApiKey: `sk-ant-${"test".repeat(12)}`,
  },
  encrypted: ["hetznerToken", "anthropicApiKey"],
  env: {},
});

// docs/new-service.md: a folder, an image and a line in the catalogue. Nothing else names the service.
test("a service is planned from its definition and its line in the catalogue alone", () => {
  const image = { ...sample.image, pin: `docker.io/x/app:1@sha256:${"0".repeat(64)}` };
  const plan = planDeployment(settings, [...catalogue, { ...sample, image }]);
  const { requirements, routes } = plan.context;
  expect(plan.services.map(({ name }) => name)).toContain("app");
  expect(plan.images.get("app")).toBe(image.pin);
  expect(plan.databases.get("app")).toMatchObject({ server: "postgresql", name: "app" });
  expect(routes).toContainEqual(expect.objectContaining({ service: "app", host: "app.ai.your.domain" }));
  expect(requirements.scrapes).toContainEqual(expect.objectContaining({ service: "app", address: "app:8000" }));
  expect(requirements.images).toContainEqual(expect.objectContaining({ service: "app" }));
  expect(Object.keys(plan.secrets)).toEqual(expect.arrayContaining(["app-database", "app-key"]));
});
