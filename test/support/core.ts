import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { serviceSettingsSchema } from "../../components/service/model/settings.ts";
import { deployedServices } from "../../stacks/catalogue.ts";
import type { Checkout } from "./checkout.ts";

/** The services of a stack whose settings ask for no more: the catalogue without the VPN's. */
export const DEFAULT_SERVICES = deployedServices({ disabledServices: [], ...serviceSettingsSchema.parse({}) });

/** By name. */
export const ALL = DEFAULT_SERVICES.map(({ name }) => name).toSorted();

/** All but the products that take half a minute to start: going back to a server without them is quick. */
export const LIGHT_SERVICES = ALL.filter((name) => !["n8n", "litellm", "openclaw"].includes(name));

/** Services of a stack that is small enough to be made many times over. They have every kind of resource. */
export const CORE = ["caddy", "postgres-exporter", "postgresql", "qdrant", "redis", "redis-exporter"];

/** Makes a checkout's sandbox stack one of these services, whatever it was before. */
export async function keepServices(checkout: Checkout, services: readonly string[]): Promise<void> {
  const file = join(checkout.dir, "Pulumi.sandbox.yaml");
  const rest = DEFAULT_SERVICES.map(({ name }) => name).filter((name) => !services.includes(name));
  const others = (await readFile(file, "utf8")).replace(/\n {2}vpai:disabledServices:.*/, "");
  const line = `\n  vpai:disabledServices: [${rest.join(", ")}]`;
  const kept = others.replace("\n  vpai:size:", `${line}\n  vpai:size:`);
  if (kept === others) throw new Error(`${file}: no line with vpai:size`);
  await writeFile(file, kept);
}
