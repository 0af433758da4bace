import { catalogue } from "../../stacks/catalogue.ts";
import type { Checkout } from "./checkout.ts";

/** Services of a stack that is small enough to be made many times over, and has every kind of resource. */
export const CORE = ["caddy", "litellm", "n8n", "postgresql", "qdrant", "redis"];

/** Makes a checkout's sandbox stack one of the core alone. */
export async function keepCore(checkout: Checkout): Promise<void> {
  const rest = catalogue.map(({ name }) => name).filter((name) => !CORE.includes(name));
  await checkout.edit("Pulumi.sandbox.yaml", (text) =>
    text.replace("  vpai:size:", `  vpai:without: [${rest.join(", ")}]\n  vpai:size:`),
  );
}
