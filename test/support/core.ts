import { catalogue } from "../../stacks/catalogue.ts";
import type { Checkout } from "./checkout.ts";

/** Every service of the catalogue, by name. */
export const ALL = catalogue.map(({ name }) => name).toSorted();

/** All but the products that take half a minute to start: going back to a server without them is quick. */
export const LIGHT_SERVICES = ALL.filter((name) => !["n8n", "litellm", "openclaw"].includes(name));

/** Services of a stack that is small enough to be made many times over. They have every kind of resource. */
export const CORE = ["caddy", "postgres-exporter", "postgresql", "qdrant", "redis", "redis-exporter"];

/** Makes a checkout's sandbox stack one of these services, whatever it was before. */
export async function keepServices(checkout: Checkout, services: readonly string[]): Promise<void> {
  const rest = catalogue.map(({ name }) => name).filter((name) => !services.includes(name));
  await checkout.edit("Pulumi.sandbox.yaml", (text) =>
    text
      .replace(/\n {2}vpai:disabledServices:.*/, "")
      .replace("\n  vpai:size:", `\n  vpai:disabledServices: [${rest.join(", ")}]\n  vpai:size:`),
  );
}
