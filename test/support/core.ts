import { catalogue } from "../../stacks/catalogue.ts";
import type { Checkout } from "./checkout.ts";

/** Every service of the catalogue, by name. */
export const ALL = catalogue.map(({ name }) => name).toSorted();

/** Services of a stack that is small enough to be made many times over, and has every kind of resource. */
export const CORE = ["caddy", "litellm", "n8n", "postgresql", "qdrant", "redis"];

/** Makes a checkout's sandbox stack one of these services, whatever it was before. */
export async function keepServices(checkout: Checkout, services: readonly string[]): Promise<void> {
  const rest = catalogue.map(({ name }) => name).filter((name) => !services.includes(name));
  await checkout.edit("Pulumi.sandbox.yaml", (text) =>
    text
      .replace(/\n {2}vpai:disabledServices:.*/, "")
      .replace("\n  vpai:size:", `\n  vpai:disabledServices: [${rest.join(", ")}]\n  vpai:size:`),
  );
}

/** Makes it one of the core alone. */
export const keepCore = (checkout: Checkout): Promise<void> => keepServices(checkout, CORE);
